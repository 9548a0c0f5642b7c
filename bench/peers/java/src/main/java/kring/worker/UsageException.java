package kring.worker;

/** UsageException is a plan that can not be carried out: exit code 2. */
final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UsageException(String message) {
        super(message);
    }
}
