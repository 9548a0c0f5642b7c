package bench

import "testing"

// accessTo is the way to brokers without TLS and login.
func accessTo(t *testing.T, brokers ...string) *Access {
	t.Helper()
	s := Settings{Brokers: brokers}
	a, err := s.Access()
	if err != nil {
		t.Fatal(err)
	}
	return a
}
