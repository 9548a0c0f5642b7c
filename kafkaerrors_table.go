package kring

// lastKnownKafkaError is the last code of the table.
const lastKnownKafkaError KafkaError = 136

// kafkaErrorTable holds, for each code of Kafka's protocol, its number, its
// name and what it means to a producer, in one line. The names are Kafka's; the
// texts are ours, and say what to do where a producer can do something.
const kafkaErrorTable = `
-1 UNKNOWN_SERVER_ERROR the broker met an error that it did not expect; its log says more
0 NONE no error
1 OFFSET_OUT_OF_RANGE the offset is outside the log
2 CORRUPT_MESSAGE the broker found a bad checksum or size, or a record without a key in a compacted topic
3 UNKNOWN_TOPIC_OR_PARTITION the broker does not host this partition, or the client may not see it
4 INVALID_FETCH_SIZE the fetch size is invalid
5 LEADER_NOT_AVAILABLE the partition has no leader, an election is under way
6 NOT_LEADER_OR_FOLLOWER the broker is not, or no longer, the leader of the partition
7 REQUEST_TIMED_OUT the followers did not confirm within RequestTimeout
8 BROKER_NOT_AVAILABLE the broker is not available
9 REPLICA_NOT_AVAILABLE the replica is not available
10 MESSAGE_TOO_LARGE the batch exceeds max.message.bytes of the topic or message.max.bytes of the broker
11 STALE_CONTROLLER_EPOCH the controller has moved
12 OFFSET_METADATA_TOO_LARGE the metadata of the offset commit is too large
13 NETWORK_EXCEPTION the connection ended before the answer
14 COORDINATOR_LOAD_IN_PROGRESS the coordinator is still loading
15 COORDINATOR_NOT_AVAILABLE the coordinator is not available
16 NOT_COORDINATOR the broker is not the coordinator
17 INVALID_TOPIC_EXCEPTION the topic's name is invalid, or only brokers may write to it
18 RECORD_LIST_TOO_LARGE the batch exceeds segment.bytes of the topic
19 NOT_ENOUGH_REPLICAS fewer replicas are in sync than min.insync.replicas asks for
20 NOT_ENOUGH_REPLICAS_AFTER_APPEND the leader has the records, but fewer replicas are in sync than min.insync.replicas asks for
21 INVALID_REQUIRED_ACKS the broker does not accept this setting of acks
22 ILLEGAL_GENERATION the group's generation is not the current one
23 INCONSISTENT_GROUP_PROTOCOL the member's protocols do not fit the group's
24 INVALID_GROUP_ID the group id is invalid
25 UNKNOWN_MEMBER_ID the coordinator does not know the member
26 INVALID_SESSION_TIMEOUT the session timeout is outside the broker's limits
27 REBALANCE_IN_PROGRESS the group is rebalancing
28 INVALID_COMMIT_OFFSET_SIZE the offset commit is too large
29 TOPIC_AUTHORIZATION_FAILED the principal may not write to the topic
30 GROUP_AUTHORIZATION_FAILED the principal may not use the group
31 CLUSTER_AUTHORIZATION_FAILED the principal lacks a right on the cluster, such as IdempotentWrite
32 INVALID_TIMESTAMP the record's timestamp is outside what the topic accepts
33 UNSUPPORTED_SASL_MECHANISM the broker does not offer this SASL mechanism
34 ILLEGAL_SASL_STATE the request does not fit the state of the SASL exchange
35 UNSUPPORTED_VERSION the broker does not know this version of the request
36 TOPIC_ALREADY_EXISTS the topic exists
37 INVALID_PARTITIONS the number of partitions is invalid
38 INVALID_REPLICATION_FACTOR the replication factor is below 1 or above the number of brokers
39 INVALID_REPLICA_ASSIGNMENT the replica assignment is invalid
40 INVALID_CONFIG the configuration is invalid
41 NOT_CONTROLLER the broker is not the controller
42 INVALID_REQUEST the broker could not make sense of the request; its log says why
43 UNSUPPORTED_FOR_MESSAGE_FORMAT the topic's message format does not support the request
44 POLICY_VIOLATION the request violates a policy of the cluster
45 OUT_OF_ORDER_SEQUENCE_NUMBER the batch's sequence does not follow the last one that the broker has
46 DUPLICATE_SEQUENCE_NUMBER the broker already has the batch
47 INVALID_PRODUCER_EPOCH the producer's epoch is older than the broker's
48 INVALID_TXN_STATE the operation does not fit the state of the transaction
49 INVALID_PRODUCER_ID_MAPPING the producer id does not belong to the transactional id
50 INVALID_TRANSACTION_TIMEOUT the transaction timeout exceeds the broker's transaction.max.timeout.ms
51 CONCURRENT_TRANSACTIONS another operation on the transaction is still going on
52 TRANSACTION_COORDINATOR_FENCED another broker has become the transaction's coordinator
53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED the principal may not use the transactional id
54 SECURITY_DISABLED the cluster has no security features enabled
55 OPERATION_NOT_ATTEMPTED another operation of the same request failed first
56 KAFKA_STORAGE_ERROR the broker could not use the disk of the partition
57 LOG_DIR_NOT_FOUND the broker does not have this log directory
58 SASL_AUTHENTICATION_FAILED the broker refused the credentials
59 UNKNOWN_PRODUCER_ID the broker no longer has any record of this producer id
60 REASSIGNMENT_IN_PROGRESS the partition is being reassigned
61 DELEGATION_TOKEN_AUTH_DISABLED delegation tokens are disabled
62 DELEGATION_TOKEN_NOT_FOUND the delegation token does not exist
63 DELEGATION_TOKEN_OWNER_MISMATCH the delegation token belongs to somebody else
64 DELEGATION_TOKEN_REQUEST_NOT_ALLOWED delegation tokens need a connection that is authenticated otherwise
65 DELEGATION_TOKEN_AUTHORIZATION_FAILED the principal may not use the delegation token
66 DELEGATION_TOKEN_EXPIRED the delegation token has expired
67 INVALID_PRINCIPAL_TYPE the principal's type is not supported
68 NON_EMPTY_GROUP the group has members
69 GROUP_ID_NOT_FOUND the group does not exist
70 FETCH_SESSION_ID_NOT_FOUND the fetch session does not exist
71 INVALID_FETCH_SESSION_EPOCH the fetch session's epoch is invalid
72 LISTENER_NOT_FOUND the leader has no listener like the one that this client is connected to
73 TOPIC_DELETION_DISABLED topics can not be deleted
74 FENCED_LEADER_EPOCH the client's leader epoch is older than the broker's
75 UNKNOWN_LEADER_EPOCH the client's leader epoch is newer than the broker's
76 UNSUPPORTED_COMPRESSION_TYPE the broker does not support this compression for this request
77 STALE_BROKER_EPOCH the broker has been restarted
78 OFFSET_NOT_AVAILABLE the new leader can not tell the offset yet
79 MEMBER_ID_REQUIRED the group wants a member id first
80 PREFERRED_LEADER_NOT_AVAILABLE the preferred leader is not available
81 GROUP_MAX_SIZE_REACHED the group is full
82 FENCED_INSTANCE_ID another member uses the same group instance id
83 ELIGIBLE_LEADERS_NOT_AVAILABLE no replica may become leader
84 ELECTION_NOT_NEEDED the partition needs no election
85 NO_REASSIGNMENT_IN_PROGRESS the partition is not being reassigned
86 GROUP_SUBSCRIBED_TO_TOPIC the group is subscribed to the topic
87 INVALID_RECORD the broker's validation refused the record
88 UNSTABLE_OFFSET_COMMIT transactional offsets are still pending
89 THROTTLING_QUOTA_EXCEEDED the quota is used up
90 PRODUCER_FENCED a newer producer uses the same transactional id
91 RESOURCE_NOT_FOUND the resource does not exist
92 DUPLICATE_RESOURCE the request names a resource twice
93 UNACCEPTABLE_CREDENTIAL the credential does not meet the cluster's criteria
94 INCONSISTENT_VOTER_SET the voter sets differ
95 INVALID_UPDATE_VERSION the version of the update is invalid
96 FEATURE_UPDATE_FAILED the finalized features could not be updated
97 PRINCIPAL_DESERIALIZATION_FAILURE a broker could not read the forwarded principal
98 SNAPSHOT_NOT_FOUND the snapshot does not exist
99 POSITION_OUT_OF_RANGE the position is outside the snapshot
100 UNKNOWN_TOPIC_ID the broker does not host a topic with this id; it may have been deleted or created anew
101 DUPLICATE_BROKER_REGISTRATION the broker id is in use
102 BROKER_ID_NOT_REGISTERED the broker id is not registered
103 INCONSISTENT_TOPIC_ID the topic's id is not the one in the broker's log; it may have been created anew
104 INCONSISTENT_CLUSTER_ID the broker belongs to another cluster
105 TRANSACTIONAL_ID_NOT_FOUND the transactional id does not exist
106 FETCH_SESSION_TOPIC_ID_ERROR the fetch session mixes topic ids and names
107 INELIGIBLE_REPLICA a replica of the new in-sync set may not be in it
108 NEW_LEADER_ELECTED the partition has a new leader
109 OFFSET_MOVED_TO_TIERED_STORAGE the offset is in tiered storage
110 FENCED_MEMBER_EPOCH the coordinator has fenced the member
111 UNRELEASED_INSTANCE_ID another member still uses the instance id
112 UNSUPPORTED_ASSIGNOR the group does not support the assignor
113 STALE_MEMBER_EPOCH the member's epoch is old
114 MISMATCHED_ENDPOINT_TYPE the request went to an endpoint of another type
115 UNSUPPORTED_ENDPOINT_TYPE the endpoint's type is not supported
116 UNKNOWN_CONTROLLER_ID the controller id is not known
117 UNKNOWN_SUBSCRIPTION_ID the telemetry subscription is not known
118 TELEMETRY_TOO_LARGE the telemetry is too large for the broker
119 INVALID_REGISTRATION the controller refused the broker's registration
120 TRANSACTION_ABORTABLE the transaction must be aborted; a new one may follow
121 INVALID_RECORD_STATE the record can not be acknowledged in its state
122 SHARE_SESSION_NOT_FOUND the share session does not exist
123 INVALID_SHARE_SESSION_EPOCH the share session's epoch is invalid
124 FENCED_STATE_EPOCH the share group's state epoch does not match
125 INVALID_VOTER_KEY the voter's key does not match
126 DUPLICATE_VOTER the voter is already in the set
127 VOTER_NOT_FOUND the voter is not in the set
128 INVALID_REGULAR_EXPRESSION the regular expression is invalid
129 REBOOTSTRAP_REQUIRED the client's metadata is too old, it must start again from its bootstrap servers
130 STREAMS_INVALID_TOPOLOGY the streams topology is invalid
131 STREAMS_INVALID_TOPOLOGY_EPOCH the streams topology's epoch is invalid
132 STREAMS_TOPOLOGY_FENCED the streams topology's epoch is old
133 SHARE_SESSION_LIMIT_REACHED too many share sessions
134 GROUP_DELETION_FAILED the group could not be deleted
135 STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED the description of the streams topology could not be updated
136 CONTROLLER_ID_NOT_REGISTERED the controller id is not registered
`
