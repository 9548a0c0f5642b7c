package kring.worker;

import com.sun.management.GarbageCollectionNotificationInfo;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.openmbean.CompositeData;

/** Pauses hears of every collection and keeps the longest of a window, in nanoseconds of whole milliseconds. */
final class Pauses {
    private final AtomicLong longest = new AtomicLong();
    private volatile boolean measuring;

    Pauses() {
        for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
            if (gc instanceof NotificationEmitter) {
                ((NotificationEmitter) gc).addNotificationListener((n, handback) -> note(n), null, null);
            }
        }
    }

    void begin() {
        measuring = true;
    }

    void end() {
        measuring = false;
    }

    long longest() {
        return longest.get();
    }

    private void note(Notification n) {
        if (measuring && n.getType().equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
            long ms = GarbageCollectionNotificationInfo.from((CompositeData) n.getUserData()).getGcInfo().getDuration();
            longest.accumulateAndGet(ms * 1_000_000, Math::max);
        }
    }
}
