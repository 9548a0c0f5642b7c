package kring.worker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;

/** Worker is the program: a plan on standard input, a result on standard output. */
public final class Worker {
    private static final int RUNTIME = 1; // unreachable
    private static final int USAGE = 2;
    private static final int REACH_MS = 5_000;

    private Worker() {}

    /**
     * Exits with 0, 1 or 2, as bench/exit.go has it. A signal ends the run early
     * and still brings a result.
     *
     * @param args none
     */
    public static void main(String[] args) {
        int code = 0;
        try {
            work();
        } catch (UsageException | JsonProcessingException e) {
            code = fail(USAGE, e);
        } catch (IOException | KafkaException | InterruptedException e) {
            code = fail(RUNTIME, e);
        }
        System.out.flush();
        // Not exit: after a signal that would wait for the hook, which waits for us.
        Runtime.getRuntime().halt(code);
    }

    private static int fail(int code, Exception e) {
        String message = String.valueOf(e.getMessage());
        System.err.println("java: " + message.lines().findFirst().orElse(e.getClass().getName()));
        return code;
    }

    private static void work() throws IOException, InterruptedException {
        ObjectMapper mapper = new ObjectMapper();
        Plan plan = Plan.parse(mapper.readTree(System.in));
        ProducerSettings settings = new ProducerSettings(plan);
        reach(plan.settings().brokers());
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings.config);
        Run run = new Run(plan, producer);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            run.interrupt();
            try {
                Thread.sleep(Duration.ofSeconds(60).toMillis()); // main halts the machine before
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        int partitions = producer.partitionsFor(plan.settings().topic()).size();
        if (plan.roundRobin() && partitions < plan.partitions()) {
            producer.close(Duration.ZERO);
            throw new UsageException("topic " + plan.settings().topic() + " has " + partitions + " partitions, the plan " + plan.partitions());
        }
        run.drive();
        String text = mapper.writeValueAsString(new Report(run, settings).result());
        System.out.write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** One broker must answer at all: the client would go on trying for a minute. */
    private static void reach(List<String> brokers) throws IOException {
        IOException last = null;
        for (String broker : brokers) {
            int colon = broker.lastIndexOf(':');
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(broker.substring(0, colon), Integer.parseInt(broker.substring(colon + 1))), REACH_MS);
                return;
            } catch (IOException e) {
                last = new IOException(broker + ": " + e.getMessage(), e);
            } catch (IndexOutOfBoundsException | NumberFormatException e) {
                throw new UsageException("broker \"" + broker + "\" is not host:port");
            }
        }
        throw new IOException("no broker answers: " + (last == null ? "the plan names none" : last.getMessage()));
    }
}
