module github.com/kring-go/kring/plugin/kringmsk

go 1.26.0

replace github.com/kring-go/kring => ../..

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7
	github.com/kring-go/kring v0.0.0-00010101000000-000000000000
	github.com/twmb/franz-go v1.22.2
)

require (
	github.com/aws/smithy-go v1.28.8 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.15.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/xdg-go/scram v1.4.0 // indirect
	github.com/xdg-go/stringprep v1.0.4 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.3.8 // indirect
)
