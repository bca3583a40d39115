import com.nimbusds.jose.util.JSONObjectUtils;
import io.spiffe.bundle.BundleSource;
import io.spiffe.bundle.jwtbundle.JwtBundle;
import io.spiffe.bundle.jwtbundle.JwtBundleSet;
import io.spiffe.bundle.x509bundle.X509Bundle;
import io.spiffe.bundle.x509bundle.X509BundleSet;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.svid.jwtsvid.JwtSvid;
import io.spiffe.svid.x509svid.X509SvidValidator;
import io.spiffe.internal.CertificateUtils;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Judges the vectors that a work list names; the time is the machine's. */
final class Vectors {
    private Vectors() {}

    static void judgeAll() throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, Object> vector = JSONObjectUtils.parse(line);
            try {
                Json.show(Json.object("name", vector.get("name"), "accepted", true, "id", judge(vector)));
            } catch (Exception error) {
                Json.show(Json.object(
                        "name", vector.get("name"), "accepted", false, "why", Client.explain(error)));
            }
        }
    }

    private static String judge(Map<String, Object> vector) throws Exception {
        return switch ((String) vector.get("kind")) {
            case "x509-svid" -> x509(vector);
            case "jwt-svid" -> jwt(vector);
            default -> throw new IllegalArgumentException("no such kind");
        };
    }

    private static String x509(Map<String, Object> vector) throws Exception {
        List<X509Certificate> chain = new ArrayList<>();
        for (Object der : (List<?>) vector.get("chain")) {
            chain.add(certificate((String) der));
        }
        List<X509Bundle> bundles = new ArrayList<>();
        for (var entry : bundles(vector).entrySet()) {
            Set<X509Certificate> authorities = new HashSet<>();
            for (Object der : list(entry.getValue(), "x509")) {
                authorities.add(certificate((String) der));
            }
            bundles.add(new X509Bundle(TrustDomain.parse(entry.getKey()), authorities));
        }
        BundleSource<X509Bundle> set = bundles.isEmpty() ? X509BundleSet.emptySet() : X509BundleSet.of(bundles);
        X509SvidValidator.verifyChain(chain, set);
        return CertificateUtils.getSpiffeId(chain.get(0)).toString();
    }

    private static String jwt(Map<String, Object> vector) throws Exception {
        List<JwtBundle> bundles = new ArrayList<>();
        for (var entry : bundles(vector).entrySet()) {
            Map<String, PublicKey> keys = new HashMap<>();
            for (Object key : list(entry.getValue(), "jwt")) {
                var members = (Map<?, ?>) key;
                keys.put((String) members.get("kid"), publicKey((String) members.get("spki")));
            }
            bundles.add(new JwtBundle(TrustDomain.parse(entry.getKey()), keys));
        }
        BundleSource<JwtBundle> set = bundles.isEmpty() ? JwtBundleSet.emptySet() : JwtBundleSet.of(bundles);
        Set<String> audience = new HashSet<>();
        ((List<?>) vector.get("audience")).forEach(one -> audience.add((String) one));
        return JwtSvid.parseAndValidate((String) vector.get("token"), set, audience).getSpiffeId().toString();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> bundles(Map<String, Object> vector) {
        return (Map<String, Object>) vector.get("bundles");
    }

    private static List<?> list(Object authorities, String member) {
        Object list = ((Map<?, ?>) authorities).get(member);
        return list == null ? List.of() : (List<?>) list;
    }

    private static X509Certificate certificate(String der) throws Exception {
        var bytes = new ByteArrayInputStream(Base64.getDecoder().decode(der));
        return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(bytes);
    }

    /** The key is of one of two kinds, and which cannot be told from outside. */
    private static PublicKey publicKey(String spki) throws Exception {
        var spec = new X509EncodedKeySpec(Base64.getDecoder().decode(spki));
        try {
            return KeyFactory.getInstance("EC").generatePublic(spec);
        } catch (java.security.spec.InvalidKeySpecException other) {
            return KeyFactory.getInstance("RSA").generatePublic(spec);
        }
    }
}
