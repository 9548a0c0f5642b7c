package matrix

// KIP is an improvement proposal that kring implements, with the test that
// shows it.
type KIP struct {
	Number     int
	What       string
	File, Test string // from the root of the repository
}

// KIPs lists them by number.
func KIPs() []KIP {
	return []KIP{
		{82, "headers of records", "tests/kafka/matrix_test.go", "TestMatrix"},
		{98, "idempotent and transactional producers", "tests/kafka/txn_test.go", "TestTransactions"},
		{110, "zstd", "tests/kafka/compression_test.go", "TestCompression"},
		{126, "a batch that is too large is split", "compression_test.go", "TestCompressedSplit"},
		{152, "SASL in requests of their own", "cluster/authenticate_test.go", "TestAuthenticate"},
		{219, "the producer keeps silent while it is throttled", "cases_broker_test.go", "TestThrottle"},
		{255, "OAUTHBEARER", "security_oauth_test.go", "TestTokensOfProperties"},
		{342, "extensions of OAUTHBEARER tokens", "sasl/mechanism_test.go", "TestConversations"},
		{360, "the producer takes a new epoch and goes on", "tests/kfake/txn_fault_test.go", "TestNewEpochAfterLostConnection"},
		{368, "logins are renewed before they expire", "security_test.go", "TestLoginIsRenewed"},
		{390, "levels of compression", "compression_test.go", "TestCompressionLevels"},
		{447, "offsets of a consumer group in a transaction", "tests/kfake/txn_test.go", "TestSendOffsets"},
		{467, "the broker names the records at fault", "cases_broker_test.go", "TestRecordErrors"},
		{511, "the client tells its name and version", "cluster/apiversions_test.go", "TestApiVersionsNamesSoftwareOnEveryConnection"},
		{516, "topic ids: a topic that was made anew is another one", "cases_sequence_test.go", "TestRecreatedTopic"},
		{526, "metadata of the topics in use only", "review_metadata_test.go", "TestNewTopicDoesNotWaitForAnother"},
		{588, "a transaction that timed out is not the producer's end", "tests/kafka/txn_test.go", "TestTransactions"},
		{601, "a limit to setting up a connection", "cluster/connect_test.go", "TestSetupTimeoutGrows"},
		{602, "every address of a host is tried", "cluster/resolver_test.go", "TestConnectTriesEveryAddress"},
		{714, "client metrics, pushed where the cluster asks for them", "tests/kafka/telemetry_test.go", "TestTelemetry"},
		{794, "sticky partitioning, even by bytes", "partitioner_test.go", "TestStickyIsEvenByBytes"},
		{890, "brokers add partitions to transactions (transaction.version 2)", "tests/kafka/txn_test.go", "TestTransactions"},
		{899, "back to the bootstrap list when no broker answers", "cluster/rebootstrap_test.go", "TestRebootstrapWhenNoKnownBrokerAnswers"},
		{951, "answers that refuse records name the new leader", "cases_broker_test.go", "TestLeaderHints"},
		{1076, "metrics of the program among them", "telemetry_app_test.go", "TestAppCounters"},
		{1102, "back to the bootstrap list after a time, or on demand", "cluster/rebootstrap_test.go", "TestRebootstrapAfterTrigger"},
		{1123, "partitions led in the producer's rack first", "partition_by_test.go", "TestRackAware"},
		{1242, "nothing is sent to another cluster behind a known address; compared by the client, with brokers of any version", "cluster_check_test.go", "TestClusterCheck"},
	}
}
