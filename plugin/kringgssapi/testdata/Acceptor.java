import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.PrivilegedExceptionAction;
import java.util.Base64;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import javax.security.sasl.AuthorizeCallback;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslServer;

/**
 * The broker's side of GSSAPI as a Java broker has it: it reads the client's
 * messages from its input, one line of base64 each, and answers in the same way.
 * Arguments: keytab, principal, service, host.
 */
public class Acceptor {
    public static void main(String[] args) throws Exception {
        Map<String, String> options = Map.of("useKeyTab", "true", "keyTab", args[0], "principal", args[1],
            "storeKey", "true", "doNotPrompt", "true", "isInitiator", "false");
        LoginContext login = new LoginContext("KafkaServer", new Subject(), null, new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {new AppConfigurationEntry("com.sun.security.auth.module.Krb5LoginModule",
                    AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, options)};
            }
        });
        login.login();
        serve(login.getSubject(), args[2], args[3]);
    }

    @SuppressWarnings("removal") // callAs, its successor, came with Java 18
    private static void serve(Subject subject, String service, String host) throws Exception {
        Subject.doAs(subject, (PrivilegedExceptionAction<Void>) () -> {
            serve(service, host);
            return null;
        });
    }

    private static void serve(String service, String host) throws Exception {
        SaslServer server = Sasl.createSaslServer("GSSAPI", service, host, Map.of(), callbacks -> {
            for (Callback callback : callbacks) {
                if (callback instanceof AuthorizeCallback authorize) {
                    authorize.setAuthorized(authorize.getAuthenticationID().equals(authorize.getAuthorizationID()));
                    authorize.setAuthorizedID(authorize.getAuthorizationID());
                }
            }
        });
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; !server.isComplete() && (line = in.readLine()) != null;) {
            byte[] challenge = server.evaluateResponse(Base64.getDecoder().decode(line));
            System.out.println(Base64.getEncoder().encodeToString(challenge == null ? new byte[0] : challenge));
        }
        System.out.println("complete " + server.isComplete() + " " + server.getAuthorizationID());
    }
}
