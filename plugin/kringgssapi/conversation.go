package kringgssapi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/kring-go/kring/sasl"
)

const (
	noLayer = 1 // the bit of RFC 4752 for "no security layer"

	// Flags of a wrap token (RFC 4121, 4.2.2).
	fromAcceptor   = 1
	sealed         = 2
	acceptorSubkey = 4
)

// conversation is one login. Its key lies in a closure, which no formatting verb
// prints.
type conversation struct {
	first []byte // the AP-REQ
	key   func() types.EncryptionKey
	next  uint64 // sequence number of the client's next token
	step  int
}

// newConversation makes the first message. The authenticator carries a fresh key
// for this login, so that nothing of another one with the same ticket fits.
func newConversation(t *ticket) (sasl.Conversation, error) {
	var size int // gokrb5's own table has that of another key for the last type
	switch t.key.KeyType {
	case etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA256_128:
		size = 16
	case etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES256_CTS_HMAC_SHA384_192:
		size = 32
	default:
		return nil, fmt.Errorf("the KDC gives a key of encryption type %d, want AES (17 to 20); "+
			"check default_tgs_enctypes of krb5.conf and the key types of the broker's principal", t.key.KeyType)
	}
	a, err := types.NewAuthenticator(t.realm, t.user)
	if err == nil {
		err = a.GenerateSeqNumberAndSubKey(t.key.KeyType, size)
	}
	if err != nil {
		return nil, fmt.Errorf("authenticator: %w", err)
	}
	a.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: contextChecksum()}
	request, err := messages.NewAPReq(t.Ticket, t.key, a)
	if err != nil {
		return nil, fmt.Errorf("AP-REQ: %w", err)
	}
	text, err := request.Marshal()
	if err != nil {
		return nil, fmt.Errorf("AP-REQ: %w", err)
	}
	key := a.SubKey
	return &conversation{
		first: frame(text),
		key:   func() types.EncryptionKey { return key },
		next:  uint64(a.SeqNumber),
	}, nil
}

// contextChecksum says which context is wanted (RFC 4121, 4.1.1): no channel
// bindings, and messages that are protected against change.
func contextChecksum() []byte {
	sum := make([]byte, 24)
	binary.LittleEndian.PutUint32(sum, 16)
	binary.LittleEndian.PutUint32(sum[20:], gssapi.ContextFlagInteg)
	return sum
}

// frame puts GSSAPI's header before an AP-REQ: Kerberos 5's object identifier,
// 1.2.840.113554.1.2.2, and the kind of token, 01 00.
func frame(request []byte) []byte {
	header := []byte("\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00")
	return asn1tools.AddASNAppTag(append(header, request...), 0)
}

func (c *conversation) Step(challenge []byte) ([]byte, error) {
	c.step++
	switch c.step {
	case 1:
		return c.first, nil
	case 2:
		if err := c.open(challenge); err != nil {
			return nil, err
		}
		return c.wrap([]byte{noLayer, 0, 0, 0}) // bytes that may come wrapped: none
	}
	if len(challenge) > 0 {
		return nil, errors.New("the broker goes on after the end of GSSAPI")
	}
	return nil, nil
}

// open checks the broker's offer: signed with the key that only the broker can
// have, and with no security layer among what it names.
func (c *conversation) open(token []byte) error {
	if len(token) == 0 {
		return errors.New("the broker does not answer the ticket")
	}
	var wrapped gssapi.WrapToken
	if err := wrapped.Unmarshal(unrotated(token), true); err != nil {
		return fmt.Errorf("the broker's answer is no wrap token of GSSAPI: %w", err)
	}
	if wrapped.Flags != fromAcceptor {
		return errors.New("the broker's answer is encrypted, or signed with a key of its own, which was not agreed on")
	}
	if ok, err := wrapped.Verify(c.key(), keyusage.GSSAPI_ACCEPTOR_SEAL); !ok || err != nil {
		return errors.New("the broker does not prove that it can open the ticket: its answer is signed with another key") // err shows the right one
	}
	if len(wrapped.Payload) != 4 {
		return fmt.Errorf("the broker's offer has %d bytes, want 4", len(wrapped.Payload))
	}
	if wrapped.Payload[0]&noLayer == 0 {
		return errors.New("the broker demands a security layer of SASL, which Kafka does not have")
	}
	return nil
}

// unrotated turns back what some libraries rotate (RFC 4121, 4.2.5).
func unrotated(token []byte) []byte {
	if len(token) <= gssapi.HdrLen {
		return token
	}
	body := token[gssapi.HdrLen:]
	n := int(binary.BigEndian.Uint16(token[6:])) % len(body)
	return slices.Concat(token[:gssapi.HdrLen], body[n:], body[:n])
}

// wrap signs a message.
func (c *conversation) wrap(payload []byte) ([]byte, error) {
	token := gssapi.WrapToken{SndSeqNum: c.next, Payload: payload}
	c.next++
	if err := token.SetCheckSum(c.key(), keyusage.GSSAPI_INITIATOR_SEAL); err != nil {
		return nil, err
	}
	token.EC = uint16(len(token.CheckSum))
	return token.Marshal()
}
