/**
 * The worker for Java's producer. It is package bench of the repository once
 * more, as far as a worker needs it: the same plan, timetable, payload, books
 * and result, so that the numbers can stand beside those of the Go workers.
 *
 * <pre>
 *   stdin ─► Plan ─► Run ─┬─► Sender × n ─► Source ─► KafkaProducer.send
 *                         │       │                        │
 *                         │       └─ call, lag, wake       └─► Completion ─► Shard: acked, response
 *                         └─► Meter: CPU, GC, memory
 *                                 ▼
 *   stdout ◄── Report: kbench.result/v1
 * </pre>
 *
 * Callbacks that succeed all run on the producer's one network thread, so what
 * they write needs no lock; failures may also be reported by a sender's thread.
 */
package kring.worker;
