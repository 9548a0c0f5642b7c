package cluster

// AuthError reports that a broker refused this client, or this client the
// broker: credentials, certificates, or what the two can not agree on. Trying
// again soon would not change it. It contains no secret.
type AuthError struct {
	Address   string
	Mechanism string // "TLS", or the SASL mechanism
	Code      int16  // Kafka's error code, 0 if the broker gave none
	Reason    string
	Advice    string // what to do about it
	Err       error  // the cause, may be nil
}

func (e *AuthError) Error() string { return e.Address + ": " + e.what() + "; " + e.Advice }

// Unwrap returns the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// what is the text without the address and the advice.
func (e *AuthError) what() string { return e.Mechanism + " authentication failed: " + e.Reason }
