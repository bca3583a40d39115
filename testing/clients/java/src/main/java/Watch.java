import io.spiffe.workloadapi.Watcher;
import io.spiffe.workloadapi.WorkloadApiClient;
import io.spiffe.workloadapi.X509Context;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Follows one stream through the rotations and meanwhile asks for SVIDs as a busy workload would. */
final class Watch implements Watcher<X509Context> {
    private static final long PAUSE_MILLIS = 100;

    private final WorkloadApiClient client;
    private final int wanted;
    private final int seconds;
    private final LinkedBlockingQueue<Object> news = new LinkedBlockingQueue<>();
    private Object serial;
    private int seen;
    private int requests;
    private int failures;

    Watch(WorkloadApiClient client, int wanted, int seconds) {
        this.client = client;
        this.wanted = wanted;
        this.seconds = seconds;
    }

    @Override
    public void onUpdate(X509Context context) {
        news.add(context);
    }

    @Override
    public void onError(Throwable error) {
        news.add(error);
    }

    void run() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        client.watchX509Context(this);
        while (seen <= wanted) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("no " + wanted + " rotations within " + seconds + " s");
            }
            ask();
            take(news.poll(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
        }
        Json.show(Json.object("updates", wanted, "requests", requests, "failures", failures));
        if (failures > 0) {
            throw new IllegalStateException(failures + " of " + requests + " requests failed");
        }
    }

    private void ask() {
        requests++;
        try {
            client.fetchX509Context();
            client.fetchJwtSvid("watch");
        } catch (Exception error) {
            failures++;
            Json.show(Json.object("failure", Client.explain(error)));
        }
    }

    private void take(Object item) throws Exception {
        if (item instanceof Throwable error) {
            throw new IllegalStateException("the stream broke", error);
        }
        if (item instanceof X509Context context) {
            Map<String, Object> line = Client.describe(context);
            if (!line.get("serial").equals(serial)) {
                serial = line.get("serial");
                Map<String, Object> shown = Json.object("update", seen);
                shown.putAll(line);
                Json.show(shown);
                seen++;
            }
        }
    }
}
