package kringgssapi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/service"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/sasl"
)

const host = "Broker.example."

// acceptor is the broker's side, with gokrb5's own reading of what comes.
type acceptor struct {
	t    *testing.T
	keys *keytab.Keytab
	key  types.EncryptionKey // the client's fresh one
	seq  int64
}

// accept opens the first message and returns who sent it.
func (a *acceptor) accept(message []byte) string {
	a.t.Helper()
	var token spnego.KRB5Token
	if err := token.Unmarshal(message); err != nil || !token.IsAPReq() {
		a.t.Fatalf("no AP-REQ: %v", err)
	}
	ok, who, err := service.VerifyAPREQ(&token.APReq, service.NewSettings(a.keys, service.DecodePAC(false)))
	if err != nil || !ok {
		a.t.Fatalf("the ticket is not accepted: %v", err)
	}
	if err := token.APReq.DecryptAuthenticator(token.APReq.Ticket.DecryptedEncPart.Key); err != nil {
		a.t.Fatal(err)
	}
	authenticator := token.APReq.Authenticator
	a.key, a.seq = authenticator.SubKey, authenticator.SeqNumber
	if len(a.key.KeyValue) == 0 || bytes.Equal(a.key.KeyValue, token.APReq.Ticket.DecryptedEncPart.Key.KeyValue) {
		a.t.Error("the login has no key of its own")
	}
	if flags := binary.LittleEndian.Uint32(authenticator.Cksum.Checksum[20:]); authenticator.Cksum.CksumType != 0x8003 || flags != gssapi.ContextFlagInteg {
		a.t.Errorf("checksum %+v", authenticator.Cksum)
	}
	return who.UserName() + "@" + who.Domain()
}

// offer is what the broker says then.
func (a *acceptor) offer(flags byte, payload []byte, key types.EncryptionKey) gssapi.WrapToken {
	a.t.Helper()
	token := gssapi.WrapToken{Flags: flags, SndSeqNum: uint64(a.seq), Payload: payload}
	if err := token.SetCheckSum(key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		a.t.Fatal(err)
	}
	token.EC = uint16(len(token.CheckSum))
	return token
}

func marshal(t *testing.T, token gssapi.WrapToken) []byte {
	t.Helper()
	text, err := token.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// login goes through all steps.
func login(t *testing.T, k *kdc, m sasl.Mechanism) {
	t.Helper()
	talk, err := m.Start(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	first, err := talk.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := acceptor{t: t, keys: k.keys}
	if who := a.accept(first); who != "app@"+realm {
		t.Errorf("logged in as %s", who)
	}
	reply, err := talk.Step(marshal(t, a.offer(fromAcceptor, []byte{7, 0, 255, 255}, a.key)))
	if err != nil {
		t.Fatal(err)
	}
	var last gssapi.WrapToken
	if err := last.Unmarshal(reply, false); err != nil {
		t.Fatal(err)
	}
	if ok, err := last.Verify(a.key, keyusage.GSSAPI_INITIATOR_SEAL); !ok || err != nil {
		t.Errorf("the last word is not signed: %v", err)
	}
	if !bytes.Equal(last.Payload, []byte{1, 0, 0, 0}) || last.SndSeqNum != uint64(a.seq) {
		t.Errorf("last word % x with number %d, want 01 00 00 00 with %d", last.Payload, last.SndSeqNum, a.seq)
	}
	if reply, err := talk.Step([]byte{}); reply != nil || err != nil {
		t.Errorf("end %q, %v", reply, err)
	}
}

func TestLogin(t *testing.T) {
	for _, etype := range []int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA256_128} {
		k := newKDC(t, etype)
		conf, err := config.Load(k.conf)
		if err != nil {
			t.Fatal(err)
		}
		kept := client.NewWithPassword("app", realm, canary, conf, client.DisablePAFXFAST(true))
		defer kept.Destroy()
		for name, m := range map[string]sasl.Mechanism{
			"keytab":             Keytab("app@"+realm, k.keytabOf("app", canary), k.settings()),
			"keytab, usual name": Keytab("app", k.keytabOf("app", canary), k.settings()),
			"password":           Password("app", canary, k.settings()),
			"ticket cache":       CCache(k.cache(time.Hour), k.settings()),
			"a client":           FromClient(kept, Settings{}),
		} {
			t.Run(fmt.Sprint(etype, " ", name), func(t *testing.T) {
				if err := m.(interface{ Check() error }).Check(); err != nil {
					t.Error(err)
				}
				login(t, k, m)
				as, tgs := k.as.Load(), k.tgs.Load()
				login(t, k, m)
				if name == "a client" && (k.as.Load() != as || k.tgs.Load() != tgs) {
					t.Error("the client asks again for a ticket that it has")
				}
			})
		}
	}
}

// TestLongestKeys: the type of the longest keys, for which gokrb5 makes no ticket.
func TestLongestKeys(t *testing.T) {
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	key := types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA384_192, KeyValue: []byte(strings.Repeat("k", 32))}
	user := types.NewPrincipalName(1, "app")
	shown, _, err := messages.NewTicket(user, realm, types.NewPrincipalName(1, brokerName), realm, types.NewKrbFlags(), k.keys, k.etype, 1,
		time.Now(), time.Now(), time.Now(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	talk, err := newConversation(&ticket{Ticket: shown, key: key, realm: realm, user: user})
	if err != nil {
		t.Fatal(err)
	}
	first, err := talk.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	var token spnego.KRB5Token
	if err := token.Unmarshal(first); err != nil {
		t.Fatal(err)
	}
	if err := token.APReq.DecryptAuthenticator(key); err != nil {
		t.Fatal(err)
	}
	a := acceptor{t: t, key: token.APReq.Authenticator.SubKey}
	if len(a.key.KeyValue) != 32 {
		t.Errorf("a key of %d bytes, want 32", len(a.key.KeyValue))
	}
	reply, err := talk.Step(marshal(t, a.offer(fromAcceptor, []byte{1, 0, 0, 0}, a.key)))
	if err != nil {
		t.Fatal(err)
	}
	var last gssapi.WrapToken
	if err := last.Unmarshal(reply, false); err != nil {
		t.Fatal(err)
	}
	if ok, err := last.Verify(a.key, keyusage.GSSAPI_INITIATOR_SEAL); !ok || err != nil || !bytes.Equal(last.Payload, []byte{1, 0, 0, 0}) {
		t.Errorf("last word % x, %v", last.Payload, err)
	}
}

// TestHostileOffer: a broker that does not know the key is not trusted, and
// nothing that comes makes a panic.
func TestHostileOffer(t *testing.T) {
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	m := Password("app", canary, k.settings())
	other := types.EncryptionKey{KeyType: k.etype, KeyValue: make([]byte, 32)}
	good := []byte{1, 0, 0, 0}
	for _, tc := range []struct {
		name  string
		offer func(a *acceptor) []byte
		want  string // "": accepted
	}{
		{"rotated", func(a *acceptor) []byte {
			token := a.offer(fromAcceptor, good, a.key)
			token.RRC = uint16(len(token.CheckSum))
			text := marshal(t, token)
			return append(append(text[:16:16], token.CheckSum...), good...)
		}, ""},
		{"nothing", func(*acceptor) []byte { return []byte{} }, "does not answer"},
		{"a byte", func(*acceptor) []byte { return []byte{5} }, "no wrap token"},
		{"a header", func(a *acceptor) []byte { return marshal(t, a.offer(fromAcceptor, good, a.key))[:16] }, "no wrap token"},
		{"cut", func(a *acceptor) []byte { return marshal(t, a.offer(fromAcceptor, good, a.key))[:27] }, "no wrap token"},
		{"another key", func(a *acceptor) []byte { return marshal(t, a.offer(fromAcceptor, good, other)) }, "another key"},
		{"changed", func(a *acceptor) []byte {
			text := marshal(t, a.offer(fromAcceptor, good, a.key))
			text[16] ^= 2
			return text
		}, "another key"},
		{"our own words", func(a *acceptor) []byte { return marshal(t, a.offer(0, good, a.key)) }, "no wrap token"},
		{"encrypted", func(a *acceptor) []byte { return marshal(t, a.offer(fromAcceptor|sealed, good, a.key)) }, "encrypted"},
		{"another subkey", func(a *acceptor) []byte { return marshal(t, a.offer(fromAcceptor|acceptorSubkey, good, a.key)) }, "not agreed on"},
		{"a layer", func(a *acceptor) []byte { return marshal(t, a.offer(fromAcceptor, []byte{6, 0, 0, 0}, a.key)) }, "security layer"},
		{"too long", func(a *acceptor) []byte { return marshal(t, a.offer(fromAcceptor, append(good, 0), a.key)) }, "5 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			talk, err := m.Start(t.Context(), host)
			if err != nil {
				t.Fatal(err)
			}
			first, err := talk.Step(nil)
			if err != nil {
				t.Fatal(err)
			}
			a := &acceptor{t: t, keys: k.keys}
			a.accept(first)
			reply, err := talk.Step(tc.offer(a))
			if (err == nil) != (tc.want == "") || err != nil && (reply != nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%q, %v, want an error with %q", reply, err, tc.want)
			}
			if err == nil {
				if _, err := talk.Step([]byte("more")); err == nil {
					t.Error("the broker goes on, and nobody minds")
				}
			}
		})
	}
}

// TestRefused: what the KDC refuses is refused, and what does not answer may
// answer later.
func TestRefused(t *testing.T) {
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	weak, later := newKDC(t, etypeID.RC4_HMAC), newKDC(t, k.etype)
	later.ahead.Store(int64(time.Hour))
	for _, tc := range []struct {
		name    string
		m       sasl.Mechanism
		deny    int32
		want    string
		refused bool
	}{
		{"a wrong password", Password("app", canary+"-not", k.settings()), 0, "ticket for kafka/broker.example: the credentials were refused: the password is wrong", true},
		{"a password that the KDC refuses", Password("app", canary, k.settings()), errorcode.KRB_AP_ERR_BAD_INTEGRITY, "refused: check the principal", true},
		{"a wrong keytab", Keytab("app", k.keytabOf("app", canary+"-not"), k.settings()), 0, "the keytab has other keys than the KDC", true},
		{"a keytab of somebody else", Keytab("app", k.keytabOf("other", canary), k.settings()), 0, "the keytab has no key of the principal", true},
		{"an unknown user", Password("nobody", canary, k.settings()), 0, "KDC_ERR_C_PRINCIPAL_UNKNOWN", true},
		{"a locked user", Password("app", canary, k.settings()), errorcode.KDC_ERR_CLIENT_REVOKED, "refused: the principal is locked", true},
		{"a user that has ended", Password("app", canary, k.settings()), errorcode.KDC_ERR_NAME_EXP, "refused: the principal has ended", true},
		{"a password that has ended", Password("app", canary, k.settings()), errorcode.KDC_ERR_KEY_EXPIRED, "the principal's password has ended", true},
		{"a KDC that sees another time", Password("app", canary, k.settings()), errorcode.KRB_AP_ERR_SKEW, "refused: the clock", true},
		{"a KDC of another time", Password("app", canary, later.settings()), 0, "refused: the clock", true},
		{"an unknown service", Password("app", canary, Settings{Krb5Conf: k.conf, ServiceName: "nobody"}), 0, "ticket for nobody/broker.example", true},
		{"an ended ticket", CCache(k.cache(-time.Second), k.settings()), 0, "refused: the ticket in the cache has ended", true},
		{"no KDC", Password("app", canary, k.elsewhere(gone)), 0, "ticket for kafka/broker.example: no KDC answers", false},
		{"a KDC without its database", Password("app", canary, k.settings()), errorcode.KDC_ERR_SVC_UNAVAILABLE, "the KDC can not answer now", false},
		{"RC4", Password("app", canary, weak.settings()), 0, "want AES", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k.deny.Store(tc.deny)
			defer k.deny.Store(0)
			talk, err := tc.m.Start(t.Context(), host)
			if err == nil {
				_, err = talk.Step(nil)
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if got := errors.Is(err, sasl.ErrRefused); got != tc.refused {
				t.Errorf("refused: %t, want %t", got, tc.refused)
			}
		})
	}
}

// TestContext: a login ends when its time is up, also where the KDC is silent.
func TestContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Password("app", canary, k.elsewhere(silent)).Start(ctx, host); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// TestCheck is what kring.New finds before it starts.
func TestCheck(t *testing.T) {
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	none := k.write("none.conf", "[libdefaults]\n")
	for _, tc := range []struct {
		name string
		m    sasl.Mechanism
		want string // "": accepted
	}{
		{"good", Keytab("app", k.keytabOf("app", canary), k.settings()), ""},
		{"no krb5.conf", Password("app", canary, Settings{Krb5Conf: k.conf + ".not"}), "krb5.conf: "},
		{"no keytab", Keytab("app", k.conf+".not", k.settings()), "keytab: "},
		{"a keytab of nothing", Keytab("app", k.write("x", canary), k.settings()), ""},
		{"no cache", CCache(k.conf+".not", k.settings()), "ticket cache: "},
		{"a damaged cache", CCache(k.write("x", "\x05\x04\x00\x00\x00\x00\x00\x01\x7f\xff\xff\xff"+canary), k.settings()), "damaged"},
		{"no password", Password("app", "", k.settings()), "password is empty"},
		{"no principal", Password("", canary, k.settings()), "principal is empty"},
		{"no realm", Password("app", canary, Settings{Krb5Conf: none}), "has no realm"},
		{"no client", FromClient(nil, Settings{}), "client is nil"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := kring.New(kring.Brokers("127.0.0.1:1"), kring.SASL(tc.m))
			if err == nil {
				_ = p.Close(t.Context())
			}
			if tc.name == "a keytab of nothing" {
				tc.want = "keytab" // its words are gokrb5's
			}
			if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), canary)) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestSecretsAreNotPrinted: whatever the verb, also inside of unexported fields.
func TestSecretsAreNotPrinted(t *testing.T) {
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	m := Password("app", canary, k.settings())
	talk, err := m.Start(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	key := talk.(*conversation).key().KeyValue
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := fmt.Sprintf(verb, struct{ m, c any }{m, talk}) + fmt.Sprintf(verb, m) + fmt.Sprintf(verb, talk)
		for _, secret := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprint(key), fmt.Sprintf("%x", key)} {
			if strings.Contains(text, strings.Trim(secret, "[]")) {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
}
