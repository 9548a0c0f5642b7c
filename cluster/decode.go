package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// decode fills response, whose version is set, from a frame without its length.
// Whatever the frame holds, decode returns: no panic, no long loop, and memory
// in proportion to the frame.
func decode(response kmsg.Response, frame []byte, correlationID int32) (err error) {
	layout, ok := shapeOf(response.Key())
	if !ok {
		return fmt.Errorf("no shape for responses of key %d", response.Key())
	}
	body, err := stripHeader(response, frame, correlationID)
	if err != nil {
		return err
	}
	if refusesVersion(response, body) {
		response.SetVersion(0)
	}
	if err := layout.walk(response.GetVersion(), body); err != nil {
		return err
	}
	// The walk leaves nothing that kmsg could trip over. This guard is for
	// the day when kmsg and shapes.go disagree about a layout.
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("decoding a response of key %d: %v", response.Key(), fault)
		}
	}()
	return response.ReadFrom(body)
}

// stripHeader checks and removes the response header. ApiVersions never has
// tagged fields there: the client cannot know yet what the broker speaks.
func stripHeader(response kmsg.Response, frame []byte, correlationID int32) ([]byte, error) {
	if len(frame) < 4 {
		return nil, errors.New("the response is too short for a header")
	}
	if got := int32(binary.BigEndian.Uint32(frame)); got != correlationID {
		return nil, fmt.Errorf("a response with correlation id %d came where %d was due", got, correlationID)
	}
	body := walker{rest: frame[4:], flexible: true}
	if response.IsFlexible() && response.Key() != keyApiVersions {
		body.tags(nil)
	}
	if body.bad {
		return nil, errLayout
	}
	return body.rest, nil
}

// refusesVersion reports the one response that does not have the version of its
// request: a broker that does not know that version of ApiVersions answers in
// the form of v0, with an error code that says so.
func refusesVersion(response kmsg.Response, body []byte) bool {
	return response.Key() == keyApiVersions && len(body) >= 2 &&
		int16(binary.BigEndian.Uint16(body)) == codeUnsupportedVersion
}
