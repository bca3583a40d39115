import io.spiffe.svid.jwtsvid.JwtSvid;
import io.spiffe.svid.x509svid.X509SvidValidator;
import io.spiffe.workloadapi.DefaultWorkloadApiClient;
import io.spiffe.workloadapi.WorkloadApiClient;
import io.spiffe.workloadapi.X509Context;
import java.util.Map;
import java.util.Set;

/** A SPIFFE client on java-spiffe; the modes are told in ../README.md. */
public final class Client {
    private static final String USAGE =
            "usage: Client fetch AUDIENCE | validate TOKEN AUDIENCE | watch N SECONDS | vectors";

    private Client() {}

    public static void main(String[] args) {
        int code = 0;
        if (args.length == 1 && args[0].equals("vectors")) {
            vectors();
        }
        try (WorkloadApiClient client = DefaultWorkloadApiClient.newClient()) {
            run(client, args);
        } catch (Exception error) {
            System.err.println(explain(error));
            code = 1;
        }
        System.exit(code);
    }

    private static void vectors() {
        try {
            Vectors.judgeAll();
            System.exit(0);
        } catch (Exception error) {
            System.err.println(explain(error));
            System.exit(1);
        }
    }

    private static void run(WorkloadApiClient client, String[] args) throws Exception {
        String mode = args.length == 0 ? "" : args[0];
        if (mode.equals("fetch") && args.length == 2) {
            fetch(client, args[1]);
        } else if (mode.equals("validate") && args.length == 3) {
            validate(client, args[1], args[2]);
        } else if (mode.equals("watch") && args.length == 3) {
            new Watch(client, Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
        } else {
            throw new IllegalArgumentException(USAGE);
        }
    }

    private static void fetch(WorkloadApiClient client, String audience) throws Exception {
        X509Context context = client.fetchX509Context();
        X509SvidValidator.verifyChain(context.getDefaultSvid().getChain(), context.getX509BundleSet());
        JwtSvid token = client.fetchJwtSvid(audience);
        var keys = client.fetchJwtBundles().getBundleForTrustDomain(token.getSpiffeId().getTrustDomain());

        Map<String, Object> x509 = describe(context);
        x509.put("chain", context.getDefaultSvid().getChain().size());
        Json.show(Json.object(
                "x509", x509,
                "jwt", Json.object(
                        "id", token.getSpiffeId().toString(),
                        "audience", token.getAudience(),
                        "expires", token.getExpiry().getTime() / 1000,
                        "authorities", keys.getJwtAuthorities().size(),
                        "token", token.getToken()),
                "bundles", context.getX509BundleSet().getBundles().size()));
    }

    /** Lets the agent judge the token, then judges it with the bundle; both must agree. */
    private static void validate(WorkloadApiClient client, String token, String audience) throws Exception {
        JwtSvid byAgent = client.validateJwtSvid(token, audience);
        JwtSvid byBundle = JwtSvid.parseAndValidate(token, client.fetchJwtBundles(), Set.of(audience));
        if (!byAgent.getSpiffeId().equals(byBundle.getSpiffeId())) {
            throw new IllegalStateException(
                    "the agent says " + byAgent.getSpiffeId() + ", the token " + byBundle.getSpiffeId());
        }
        Json.show(Json.object("id", byAgent.getSpiffeId().toString(), "audience", byAgent.getAudience()));
    }

    static Map<String, Object> describe(X509Context context) throws Exception {
        var svid = context.getDefaultSvid();
        var bundle = context.getX509BundleSet().getBundleForTrustDomain(svid.getSpiffeId().getTrustDomain());
        return Json.object(
                "id", svid.getSpiffeId().toString(),
                "not_after", svid.getLeaf().getNotAfter().getTime() / 1000,
                "serial", svid.getLeaf().getSerialNumber().toString(),
                "authorities", bundle.getX509Authorities().size());
    }

    static String explain(Throwable error) {
        StringBuilder line = new StringBuilder(error.toString());
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            line.append(": ").append(cause.getMessage());
        }
        return line.toString();
    }
}
