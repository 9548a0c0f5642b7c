// Package kringmsk logs in to Amazon MSK with IAM: the mechanism AWS_MSK_IAM, by
// which a client signs, with its AWS credentials, the permission to connect to
// one broker for some minutes. It is a module of its own, so that kring does not
// depend on the AWS SDK.
//
//	Provider ──► keys ──► SigV4 (presigned "kafka-cluster:Connect")
//	                        │ host, region, time
//	                        ▼
//	            {"version":"2020_10_22", …}  ──► broker
//	            {"version":"2020_10_22", …}  ◄── broker: logged in
//
//	cfg, err := config.LoadDefaultConfig(ctx) // aws-sdk-go-v2/config
//	…
//	kring.New(kring.TLS(nil), kring.SASL(kringmsk.New(kringmsk.FromAWS(cfg.Credentials))), …)
//
// The provider is asked at each login, so credentials that rotate are followed;
// aws.CredentialsCache, which LoadDefaultConfig wraps around its providers,
// keeps them as long as they hold. MSK ends logins after some hours at the
// latest, and kring renews each connection before that.
//
// Secret keys are not sent. The signed text could be used by whoever reads it
// until it expires, so kring refuses this mechanism without TLS.
//
// Java: sasl.mechanism=AWS_MSK_IAM with IAMLoginModule and
// IAMClientCallbackHandler of aws-msk-iam-auth.
package kringmsk
