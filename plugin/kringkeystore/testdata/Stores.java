import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;

// Writes key stores with Java's own classes. Arguments: a folder, the password of
// the stores, that of the keys. The folder has NAME.key (PKCS8) and NAME.crt (the
// chain, DER one behind the other) for rsa, ec and ed, and ca.crt.
public class Stores {
	private static Path dir;
	private static char[] password;

	public static void main(String[] args) throws Exception {
		dir = Path.of(args[0]);
		password = args[1].toCharArray();
		char[] key = args[2].toCharArray();
		for (String type : new String[] {"JKS", "PKCS12"}) {
			KeyStore one = empty(type);
			add(one, "app", "rsa", "RSA", password);
			save(one, "one." + type);

			KeyStore several = empty(type);
			add(several, "C", "rsa", "RSA", key);
			add(several, "b", "ec", "EC", key);
			add(several, "a", "ed", "EdDSA", key);
			save(several, "several." + type);
			several.setCertificateEntry("ca", chain("ca")[0]);
			save(several, "mixed." + type);

			KeyStore trust = empty(type);
			trust.setCertificateEntry("one", chain("ca")[0]);
			trust.setCertificateEntry("two", chain("ec")[0]);
			save(trust, "trust." + type);
			save(empty(type), "empty." + type);
		}
		password = "caf\u00e9\u00ff".toCharArray(); // PKCS12 wants ASCII
		KeyStore accents = empty("JKS");
		add(accents, "app", "ec", "EC", password);
		save(accents, "accents.JKS");
	}

	private static KeyStore empty(String type) throws Exception {
		KeyStore store = KeyStore.getInstance(type);
		store.load(null, null);
		return store;
	}

	private static void add(KeyStore store, String alias, String name, String algorithm, char[] key) throws Exception {
		byte[] der = Files.readAllBytes(dir.resolve(name + ".key"));
		PrivateKey read = KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
		store.setKeyEntry(alias, read, key, chain(name));
	}

	private static Certificate[] chain(String name) throws Exception {
		byte[] der = Files.readAllBytes(dir.resolve(name + ".crt"));
		return CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(der)).toArray(new Certificate[0]);
	}

	private static void save(KeyStore store, String name) throws Exception {
		try (OutputStream out = Files.newOutputStream(dir.resolve(name))) {
			store.store(out, password);
		}
	}
}
