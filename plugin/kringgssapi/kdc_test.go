package kringgssapi

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	realm      = "TEST.EXAMPLE"
	canary     = "hunter2-canary"
	brokerName = "kafka/broker.example"
)

// kdc is the least that gives out tickets: one user, one service, no
// pre-authentication, over TCP.
type kdc struct {
	t     *testing.T
	etype int32
	keys  *keytab.Keytab // of krbtgt, user and service
	conf  string         // path of krb5.conf
	deny  atomic.Int32   // an error code for every request
	ahead atomic.Int64   // how far its clock is, a time.Duration
	as    atomic.Int32   // requests
	tgs   atomic.Int32
}

func newKDC(t *testing.T, etype int32) *kdc {
	t.Helper()
	k := &kdc{t: t, etype: etype, keys: keytab.New()}
	for name, password := range map[string]string{"krbtgt/" + realm: "krbtgt-key", "app": canary, brokerName: "service-key"} {
		if err := k.keys.AddEntry(name, realm, password, time.Now(), 1, etype); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { k.serve(nc) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	enctype := map[int32]string{
		etypeID.AES256_CTS_HMAC_SHA1_96: "aes256-cts-hmac-sha1-96", etypeID.AES128_CTS_HMAC_SHA1_96: "aes128-cts-hmac-sha1-96",
		etypeID.AES128_CTS_HMAC_SHA256_128: "aes128-cts-hmac-sha256-128", etypeID.RC4_HMAC: "rc4-hmac",
	}[etype]
	k.conf = k.write("krb5.conf", strings.NewReplacer("REALM", realm, "KDC", ln.Addr().String(), "TYPE", enctype).Replace(
		`[libdefaults]
 default_realm = REALM
 udp_preference_limit = 1
 dns_lookup_kdc = false
 allow_weak_crypto = true
 default_tkt_enctypes = TYPE
 default_tgs_enctypes = TYPE
 permitted_enctypes = TYPE
[realms]
 REALM = {
  kdc = KDC
 }
`))
	return k
}

func (k *kdc) write(name, text string) string {
	k.t.Helper()
	path := filepath.Join(k.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	return path
}

// keytabOf writes a keytab with one principal.
func (k *kdc) keytabOf(name, password string) string {
	k.t.Helper()
	keys := keytab.New()
	if err := keys.AddEntry(name, realm, password, time.Now(), 1, k.etype); err != nil {
		k.t.Fatal(err)
	}
	text, err := keys.Marshal()
	if err != nil {
		k.t.Fatal(err)
	}
	return k.write(name+".keytab", string(text))
}

// elsewhere is krb5.conf with the KDC at another address.
func (k *kdc) elsewhere(ln net.Listener) Settings {
	k.t.Helper()
	text, err := os.ReadFile(k.conf)
	if err != nil {
		k.t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "  kdc = ")
	return Settings{Krb5Conf: k.write("elsewhere.conf", before+"  kdc = "+ln.Addr().String()+"\n }\n")}
}

func (k *kdc) settings() Settings { return Settings{Krb5Conf: k.conf} }

func (k *kdc) serve(nc net.Conn) {
	defer func() { _ = nc.Close() }()
	var size [4]byte
	if _, err := io.ReadFull(nc, size[:]); err != nil {
		return
	}
	request := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(nc, request); err != nil {
		k.t.Error(err)
		return
	}
	answer, err := k.answer(request)
	if err != nil {
		k.t.Error(err)
		return
	}
	_, _ = nc.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
}

func (k *kdc) answer(request []byte) ([]byte, error) {
	var as messages.ASReq
	var tgs messages.TGSReq
	if as.Unmarshal(request) == nil {
		k.as.Add(1)
		if code := k.deny.Load(); code != 0 {
			return k.refuse(code)
		}
		key, _, err := k.keys.GetEncryptionKey(as.ReqBody.CName, realm, 1, k.etype)
		if err != nil {
			return k.refuse(errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN)
		}
		fields, err := k.reply(as.ReqBody, as.ReqBody.CName, key, keyusage.AS_REP_ENCPART)
		fields.MsgType = msgtype.KRB_AS_REP
		if err != nil {
			return nil, err
		}
		return (&messages.ASRep{KDCRepFields: fields}).Marshal()
	}
	if err := tgs.Unmarshal(request); err != nil {
		return nil, err
	}
	k.tgs.Add(1)
	if _, _, err := k.keys.GetEncryptionKey(tgs.ReqBody.SName, realm, 1, k.etype); err != nil {
		return k.refuse(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
	}
	var shown messages.APReq
	if err := shown.Unmarshal(tgs.PAData[0].PADataValue); err != nil {
		return nil, err
	}
	if err := shown.Ticket.DecryptEncPart(k.keys, nil); err != nil {
		return nil, err
	}
	session := shown.Ticket.DecryptedEncPart
	fields, err := k.reply(tgs.ReqBody, session.CName, session.Key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	fields.MsgType = msgtype.KRB_TGS_REP
	if err != nil {
		return nil, err
	}
	return (&messages.TGSRep{KDCRepFields: fields}).Marshal()
}

// reply makes a ticket for what is asked for.
func (k *kdc) reply(body messages.KDCReqBody, user types.PrincipalName, key types.EncryptionKey, usage uint32) (messages.KDCRepFields, error) {
	now := time.Now().Add(time.Duration(k.ahead.Load())).UTC().Truncate(time.Second)
	end := now.Add(time.Hour)
	made, session, err := messages.NewTicket(user, realm, body.SName, realm, types.NewKrbFlags(), k.keys, k.etype, 1, now, now, end, end)
	if err != nil {
		return messages.KDCRepFields{}, err
	}
	part := messages.EncKDCRepPart{
		Key: session, LastReqs: []messages.LastReq{{LRValue: now}}, Nonce: body.Nonce, Flags: types.NewKrbFlags(),
		AuthTime: now, StartTime: now, EndTime: end, RenewTill: end, SRealm: realm, SName: body.SName,
	}
	text, err := part.Marshal()
	if err != nil {
		return messages.KDCRepFields{}, err
	}
	hidden, err := crypto.GetEncryptedData(text, key, usage, 1)
	return messages.KDCRepFields{PVNO: 5, CRealm: realm, CName: user, Ticket: made, EncPart: hidden}, err
}

func (k *kdc) refuse(code int32) ([]byte, error) {
	e := messages.NewKRBError(types.NewPrincipalName(nametype.KRB_NT_SRV_INST, "krbtgt/"+realm), realm, code, "")
	return e.Marshal()
}

// cache writes a credential cache with a ticket to get tickets, as kinit does.
func (k *kdc) cache(life time.Duration) string {
	k.t.Helper()
	user := types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "app")
	tgs := types.NewPrincipalName(nametype.KRB_NT_SRV_INST, "krbtgt/"+realm)
	now := time.Now().UTC().Truncate(time.Second)
	made, session, err := messages.NewTicket(user, realm, tgs, realm, types.NewKrbFlags(), k.keys, k.etype, 1, now, now, now.Add(life), now.Add(life))
	if err != nil {
		k.t.Fatal(err)
	}
	ticket, err := made.Marshal()
	if err != nil {
		k.t.Fatal(err)
	}
	number := func(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }
	data := func(b, x []byte) []byte { return append(number(b, len(x)), x...) }
	principal := func(b []byte, p types.PrincipalName) []byte {
		b = data(number(number(b, int(p.NameType)), len(p.NameString)), []byte(realm))
		for _, part := range p.NameString {
			b = data(b, []byte(part))
		}
		return b
	}
	b := principal([]byte{5, 4, 0, 0}, user)
	b = principal(principal(b, user), tgs)
	b = data(binary.BigEndian.AppendUint16(b, uint16(session.KeyType)), session.KeyValue)
	for _, at := range []time.Time{now, now, now.Add(life), now.Add(life)} {
		b = number(b, int(at.Unix()))
	}
	b = append(b, 0, 0, 0, 0, 0) // is no session key, flags
	b = number(number(b, 0), 0)  // addresses, authorization data
	b = data(data(b, ticket), nil)
	if err := new(credentials.CCache).Unmarshal(b); err != nil {
		k.t.Fatal(err)
	}
	return k.write("ccache", string(b))
}
