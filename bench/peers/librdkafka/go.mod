module github.com/kring-go/kring/bench/peers/librdkafka

go 1.26.0

replace (
	github.com/kring-go/kring => ../../..
	github.com/kring-go/kring/bench/peers => ..
	github.com/kring-go/kring/plugin/kringkeystore => ../../../plugin/kringkeystore
)

require (
	github.com/confluentinc/confluent-kafka-go/v2 v2.11.1
	github.com/kring-go/kring v0.0.0-00010101000000-000000000000
	github.com/kring-go/kring/bench/peers v0.0.0-00010101000000-000000000000
)

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/kring-go/kring/plugin/kringkeystore v0.0.0-00010101000000-000000000000 // indirect
	github.com/pavlo-v-chernykh/keystore-go/v4 v4.5.0 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.15.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/xdg-go/scram v1.4.0 // indirect
	github.com/xdg-go/stringprep v1.0.4 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	software.sslmate.com/src/go-pkcs12 v0.7.4 // indirect
)
