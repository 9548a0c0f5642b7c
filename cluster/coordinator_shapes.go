package cluster

// coordinatorShapeOf is shapeOf for what a Coordinator asks.
func coordinatorShapeOf(key int16) (shape, bool) {
	switch key {
	case keyFindCoordinator:
		return findCoordinatorShape(), true
	case keyAddPartitionsToTxn:
		return perPartitionShape(3), true
	case keyTxnOffsetCommit:
		return perPartitionShape(3), true
	case keyAddOffsetsToTxn:
		return shape{flexibleFrom: 3, fields: []field{fixed(int32Size), fixed(int16Size)}}, true
	case keyEndTxn:
		return shape{flexibleFrom: 3, fields: []field{
			fixed(int32Size), // throttle
			fixed(int16Size), // error code
			fixed(int64Size).from(5),
			fixed(int16Size).from(5),
		}}, true
	}
	return telemetryShapeOf(key)
}

// findCoordinatorShape covers v0 to v6.
func findCoordinatorShape() shape {
	return shape{
		flexibleFrom: 3,
		fields: []field{
			fixed(int32Size).from(1),       // throttle
			fixed(int16Size).upTo(3),       // error code
			nullableText().from(1).upTo(3), // error message
			fixed(int32Size).upTo(3),       // node
			text().upTo(3),                 // host
			fixed(int32Size).upTo(3),       // port
			array(text(), fixed(int32Size), text(), fixed(int32Size), fixed(int16Size), nullableText()).from(4),
		},
	}
}

// perPartitionShape covers AddPartitionsToTxn v0 to v3 and TxnOffsetCommit v0
// to v5.
func perPartitionShape(flexibleFrom int16) shape {
	return shape{
		flexibleFrom: flexibleFrom,
		fields: []field{
			fixed(int32Size), // throttle
			array(text(), array(fixed(int32Size), fixed(int16Size))),
		},
	}
}
