import java.io.IOException;

/** Kafka's broker, which does not outlive the program that started it: it is halted when standard input ends. */
public final class Broker {
    private Broker() {}

    public static void main(String[] args) {
        Thread watch = new Thread(Broker::haltAtEndOfInput, "parent");
        watch.setDaemon(true);
        watch.start();
        kafka.Kafka.main(args);
    }

    private static void haltAtEndOfInput() {
        try {
            while (System.in.read() != -1) continue;
        } catch (IOException gone) {
            // As good as the end.
        }
        Runtime.getRuntime().halt(3);
    }
}
