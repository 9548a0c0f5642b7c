// Package kringkeystore reads the key stores of Java, JKS and PKCS12, so that a
// producer takes the client.properties and the stores of a Java client as they
// are. It is a module of its own, so that kring does not depend on libraries for
// these formats.
//
//	client.properties ─► FromProperties ─┬─ ssl.keystore.*, ssl.truststore.* ─► TLS ─► kring.TLSStores
//	                                     └─ all others ─► kring.FromProperties
//
//	file ─► bounded? ─► JKS or PKCS12, by its first bytes ─► lengths and iterations bounded?
//	          ─► keystore-go or go-pkcs12 ─► certificates with keys, authorities
//
//	options, err := kringkeystore.FromProperties(properties) // in place of kring's
//	…
//	p, err := kring.New(options...)
//
// Java: ssl.keystore.location, ssl.keystore.password, ssl.keystore.type,
// ssl.key.password, ssl.truststore.location, ssl.truststore.password and
// ssl.truststore.type. PEM is left to kring itself.
//
// # What is read
//
// Either format under either name, as Java does (keystore.type.compat): "JKS" is
// its default, and keytool has written PKCS12 since Java 9. Of a trust store every
// trusted certificate counts, and of a JKS also the first certificate of each
// private key, as in Java. A PKCS12 that mixes trusted certificates with others is
// refused: which are which is what the library does not tell. Certificates that
// openssl put into a PKCS12 without a key are not marked as trusted: Java sees
// none there, and here it is an error. A trust store without a certificate is one,
// too.
//
// Of a key store every private key counts, and one password must open them all,
// as in Java. Of several the broker is sent the first, by alias, whose kind of key
// and whose authorities it takes; where none fits, Java sends no certificate, and
// kring the first, so that the broker says what is wrong with it. RSA, EC and
// Ed25519 keys are read. Whether a certificate has expired is left to TLS: the
// broker refuses it.
//
// # Rotation
//
// The files are read for every new connection, and parsed when they have changed.
// A file that can not be used, because it is half written or has another password,
// is logged, and what was read before serves on.
//
// # Trust
//
// Passwords are in no error, no log line and no print of a Store or an option.
// Files of more than 4 MiB, lengths that exceed the file, and key derivations of
// more than 5 million steps (Java's limit) are refused before anything is
// allocated or computed for them.
//
// # Limits
//
// JCEKS, BKS, BCFKS, PKCS11 and PKCS12 in BER with indefinite lengths are not
// read; keytool -importkeystore -deststoretype PKCS12 converts them. A password
// must be of characters up to U+00FF for JKS, and up to U+FFFF for PKCS12.
package kringkeystore
