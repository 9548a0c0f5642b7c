// Package oidc fetches tokens for the mechanism OAUTHBEARER, with the client
// credentials grant of OAuth 2 (RFC 6749, 4.4), which every OpenID Connect
// provider has. Nothing else of kring speaks HTTP.
//
//	kring.SASL ── sasl.OAuthBearer ── ClientCredentials.Source
//	 a login       keeps the token,      POST ─► token endpoint
//	 needs one     one call at a time         ◄─ {"access_token": …, "expires_in": …}
//
//	tokens, err := oidc.ClientCredentials{
//		TokenURL: "https://idp.example/token", ClientID: "app",
//		ClientSecret: oidc.Secret(secret), Scope: "kafka",
//	}.Source()
//	…
//	kring.New(kring.TLS(nil), kring.SASL(sasl.OAuthBearer(tokens)), …)
//
// # Keeping
//
// The source fetches at each call. sasl.OAuthBearer keeps what it returns until
// 80 % of the token's life are over, forgets a token that a broker has refused,
// and calls once for all connections that wait. A mechanism may be shared by
// several producers, and its token with it.
//
// # Failures
//
// What may pass (no connection, no answer in time, 429, 5xx) is tried again with
// growing pauses until the login's context ends. What does not (a wrong secret)
// is sasl.ErrRefused: nobody hammers on the provider's door with it.
//
// # Trust
//
// The endpoint must be https, or a loopback address, unless InsecureHTTP says
// otherwise. Redirects are not followed: they would carry the secret to another
// place. Answers are bounded, and none is shown, except for the error's code and
// description, cleaned, and only if they repeat no secret.
package oidc
