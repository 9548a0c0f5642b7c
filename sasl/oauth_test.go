package sasl_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kring-go/kring/sasl"
)

// TestRefusalDoesNotWaitForTheSource: a broker that refuses a token is answered
// while the next token is being fetched, however long that takes.
func TestRefusalDoesNotWaitForTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		calls := 0
		m := sasl.OAuthBearer(func(context.Context) (sasl.Token, error) {
			if calls++; calls > 1 {
				<-release
				return sasl.Token{}, errors.New("too late")
			}
			return sasl.Token{Value: "first", Expires: time.Now().Add(time.Hour)}, nil
		})
		talk, err := m.Start(t.Context(), "broker")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := talk.Step(nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Minute)
		second := make(chan error)
		go func() {
			_, err := m.Start(t.Context(), "broker")
			second <- err
		}()
		synctest.Wait() // it fetches
		if reply, err := talk.Step([]byte(`{"status":"invalid_token"}`)); err != nil || len(reply) != 1 {
			t.Errorf("reply %q, %v", reply, err)
		}
		close(release)
		if err := <-second; err == nil {
			t.Error("the refused token was used again")
		}
	})
}
