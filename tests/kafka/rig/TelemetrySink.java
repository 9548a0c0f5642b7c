import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.telemetry.ClientTelemetry;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.server.telemetry.ClientTelemetryReceiver;

/**
 * A broker's plug-in that writes every push of client metrics (KIP-714) into a
 * file of its own: number, client instance, "last" if it is terminating. The
 * folder is the property kring.telemetry.dir of the broker. The interfaces are
 * those since Kafka 3.7 for them.
 */
@SuppressWarnings("removal")
public class TelemetrySink implements MetricsReporter, ClientTelemetry, ClientTelemetryReceiver {
    private final AtomicInteger number = new AtomicInteger();
    private Path folder;

    @Override
    public void configure(Map<String, ?> configs) {
        Object dir = configs.get("kring.telemetry.dir");
        folder = dir == null ? null : Path.of(dir.toString());
    }

    @Override
    public ClientTelemetryReceiver clientReceiver() {
        return this;
    }

    @Override
    public void exportMetrics(AuthorizableRequestContext context, ClientTelemetryPayload payload) {
        ByteBuffer data = payload.data().duplicate();
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        String name = String.format("%06d %s %s", number.incrementAndGet(), payload.clientInstanceId(),
            payload.isTerminating() ? "last" : "more");
        try {
            Path partial = folder.resolve(name + ".partial");
            Files.write(partial, bytes);
            Files.move(partial, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void init(List<KafkaMetric> metrics) {
    }

    @Override
    public void metricChange(KafkaMetric metric) {
    }

    @Override
    public void metricRemoval(KafkaMetric metric) {
    }

    @Override
    public void close() {
    }
}
