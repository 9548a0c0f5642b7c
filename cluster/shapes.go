package cluster

const (
	int8Size  = 1
	int16Size = 2
	int32Size = 4
	int64Size = 8
	uuidSize  = 16
)

// shapeOf returns the layout of the response to a request of this key, and
// false for one that this package has no use for. It builds the few fields
// anew each time, which is cheap where a network round trip has gone before.
func shapeOf(key int16) (shape, bool) {
	switch key {
	case keyApiVersions:
		return apiVersionsShape(), true
	case keyMetadata:
		return metadataShape(), true
	case keyInitProducerID:
		return initProducerIDShape(), true
	case keySaslHandshake:
		return saslHandshakeShape(), true
	case keySaslAuthenticate:
		return saslAuthenticateShape(), true
	}
	return coordinatorShapeOf(key)
}

// apiVersionsShape covers v0 to v5.
func apiVersionsShape() shape {
	feature := array(text(), fixed(int16Size), fixed(int16Size))
	return shape{
		flexibleFrom: 3,
		fields: []field{
			fixed(int16Size), // error code
			array(fixed(int16Size), fixed(int16Size), fixed(int16Size)), // api keys
			fixed(int32Size).from(1),                                    // throttle
		},
		tagged: map[uint32][]field{
			0: {feature},
			1: {fixed(int64Size)},
			2: {feature},
			3: {fixed(int8Size)},
		},
	}
}

// metadataShape covers v0 to v13.
func metadataShape() shape {
	ids := array(fixed(int32Size))
	partition := []field{
		fixed(int16Size),         // error code
		fixed(int32Size),         // index
		fixed(int32Size),         // leader
		fixed(int32Size).from(7), // leader epoch
		ids, ids, ids.from(5),    // replicas, in sync, offline
	}
	topic := []field{
		fixed(int16Size), // error code
		text().upTo(11),
		nullableText().from(12),
		fixed(uuidSize).from(10),
		fixed(int8Size).from(1), // internal
		array(partition...),
		fixed(int32Size).from(8), // authorized operations
	}
	return shape{
		flexibleFrom: 9,
		fields: []field{
			fixed(int32Size).from(3), // throttle
			array(fixed(int32Size), text(), fixed(int32Size), nullableText().from(1)), // brokers
			nullableText().from(2),   // cluster id
			fixed(int32Size).from(1), // controller
			array(topic...),
			fixed(int32Size).from(8).upTo(10), // authorized operations
			fixed(int16Size).from(13),         // error code
		},
	}
}

// initProducerIDShape covers v0 to v5.
func initProducerIDShape() shape {
	return shape{
		flexibleFrom: 2,
		fields: []field{
			fixed(int32Size), // throttle
			fixed(int16Size), // error code
			fixed(int64Size), // producer id
			fixed(int16Size), // producer epoch
		},
	}
}

// saslHandshakeShape covers v0 and v1.
func saslHandshakeShape() shape {
	return shape{
		flexibleFrom: everAfter,
		fields: []field{
			fixed(int16Size), // error code
			array(text()),    // mechanisms
		},
	}
}

// saslAuthenticateShape covers v0 to v2.
func saslAuthenticateShape() shape {
	return shape{
		flexibleFrom: 2,
		fields: []field{
			fixed(int16Size), // error code
			nullableText(),   // error message
			blob(),           // challenge
			fixed(int64Size).from(1),
		},
	}
}
