import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka's own clients: topics, producers (several at once, by name), and reading to the end. */
final class Client {
    private static final Base64.Decoder BASE64 = Base64.getDecoder();
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    private static String bootstrap;
    private static Admin admin;
    private static Flood flood;

    private Client() {}

    static Object answer(String wanted, JsonNode request) throws Exception {
        switch (wanted) {
            case "connect" -> connect(request.get("bootstrap").asText());
            case "createTopic" -> {
                return createTopic(request);
            }
            case "open" -> open(request.get("producer").asText(), request.get("settings"));
            case "begin" -> producer(request).beginTransaction();
            case "commit" -> producer(request).commitTransaction();
            case "abort" -> producer(request).abortTransaction();
            case "close" -> producers.remove(request.get("producer").asText()).close();
            case "produce" -> {
                return produce(producer(request), request);
            }
            case "deleteRecords" -> admin.deleteRecords(Map.of(
                    place(request), RecordsToDelete.beforeOffset(request.get("offset").asLong()))).all().get();
            case "startFlood" -> flood = new Flood(producer(request), request.get("topic").asText(), request.get("partitions").asInt());
            case "stopFlood" -> {
                return flood.stop();
            }
            case "offsets" -> {
                return offsets(place(request));
            }
            case "consume" -> {
                return consume(request);
            }
            case "partitionsOf" -> {
                return partitionsOf(request.get("keys"), request.get("counts"));
            }
            default -> throw new IllegalArgumentException("nobody can do '" + wanted + "'");
        }
        return null;
    }

    /** The broker to speak to from here on; producers of an earlier one are given up. */
    private static void connect(String to) throws Exception {
        producers.values().forEach(producer -> producer.close(Duration.ZERO));
        producers.clear();
        if (admin != null) admin.close(Duration.ZERO);
        bootstrap = to;
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        // A broker that is not in the metadata yet gets no partitions.
        while (admin.describeCluster().nodes().get().isEmpty()) Thread.sleep(100);
    }

    private static String createTopic(JsonNode request) throws Exception {
        Map<String, String> config = new HashMap<>();
        request.get("config").properties().forEach(entry -> config.put(entry.getKey(), entry.getValue().asText()));
        String topic = request.get("topic").asText();
        NewTopic made = new NewTopic(topic, request.get("partitions").asInt(), (short) 1).configs(config);
        return admin.createTopics(List.of(made)).topicId(topic).get().toString();
    }

    private static void open(String name, JsonNode settings) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("linger.ms", "600000"); // batches end where a request says so
        properties.put("key.serializer", ByteArraySerializer.class);
        properties.put("value.serializer", ByteArraySerializer.class);
        settings.properties().forEach(entry -> properties.put(entry.getKey(), entry.getValue().asText()));
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties);
        producers.put(name, producer);
        if (properties.containsKey("transactional.id")) producer.initTransactions();
    }

    private static KafkaProducer<byte[], byte[]> producer(JsonNode request) {
        return producers.get(request.get("producer").asText());
    }

    /** Sends `records`, in batches of `perBatch` at most. Returns partition and offset of each. */
    private static List<long[]> produce(KafkaProducer<byte[], byte[]> producer, JsonNode request) throws Exception {
        int perBatch = request.has("perBatch") ? request.get("perBatch").asInt() : Integer.MAX_VALUE;
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode record : request.get("records")) {
            if (!sent.isEmpty() && sent.size() % perBatch == 0) producer.flush();
            sent.add(producer.send(producerRecord(request.get("topic").asText(), record)));
        }
        producer.flush();
        List<long[]> places = new ArrayList<>();
        for (Future<RecordMetadata> result : sent) places.add(new long[] {result.get().partition(), result.get().offset()});
        return places;
    }

    private static ProducerRecord<byte[], byte[]> producerRecord(String topic, JsonNode record) {
        List<Header> headers = new ArrayList<>();
        if (record.has("headers")) {
            for (JsonNode header : record.get("headers")) {
                headers.add(new RecordHeader(new String(bytes(header.get(0)), StandardCharsets.UTF_8), bytes(header.get(1))));
            }
        }
        Integer partition = record.has("partition") ? record.get("partition").asInt() : null;
        Long timestamp = record.has("timestamp") ? record.get("timestamp").asLong() : null;
        return new ProducerRecord<>(topic, partition, timestamp, bytes(record.get("key")), bytes(record.get("value")), headers);
    }

    private static byte[] bytes(JsonNode base64) {
        return base64 == null || base64.isNull() ? null : BASE64.decode(base64.asText());
    }

    private record Offsets(long start, long lastStable, long highWatermark) {}

    private static Offsets offsets(TopicPartition place) throws Exception {
        return new Offsets(
                offset(place, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED),
                offset(place, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED),
                offset(place, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED));
    }

    private static long offset(TopicPartition place, OffsetSpec which, IsolationLevel isolation) throws Exception {
        Map<TopicPartition, ListOffsetsResultInfo> found =
                admin.listOffsets(Map.of(place, which), new ListOffsetsOptions(isolation)).all().get();
        return found.get(place).offset();
    }

    /** Writes all records of a topic, up to the ends that the isolation level allows, to `output`. Returns their number. */
    private static long consume(JsonNode request) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("isolation.level", request.get("isolation").asText());
        properties.put("enable.auto.commit", "false");
        properties.put("key.deserializer", ByteArrayDeserializer.class);
        properties.put("value.deserializer", ByteArrayDeserializer.class);
        List<TopicPartition> places = new ArrayList<>();
        for (int n = 0; n < request.get("partitions").asInt(); n++) places.add(new TopicPartition(request.get("topic").asText(), n));
        long count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties);
                BufferedWriter writer = Files.newBufferedWriter(Path.of(request.get("output").asText()))) {
            consumer.assign(places);
            consumer.seekToBeginning(places);
            Map<TopicPartition, Long> ends = consumer.endOffsets(places);
            while (places.stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() >= ends.get(new TopicPartition(record.topic(), record.partition()))) continue;
                    writer.write(RecordLine.of("\"partition\":" + record.partition() + ",", record.offset(), record.timestamp(),
                            record.timestampType(), record.key(), record.value(), record.headers().toArray()));
                    count++;
                }
            }
        }
        return count;
    }

    private static TopicPartition place(JsonNode request) {
        return new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
    }

    /** Of each key, as base64, its partition in topics with `counts` partitions. */
    private static List<int[]> partitionsOf(JsonNode keys, JsonNode counts) {
        List<int[]> table = new ArrayList<>();
        for (JsonNode key : keys) {
            int[] row = new int[counts.size()];
            for (int n = 0; n < row.length; n++) row[n] = BuiltInPartitioner.partitionForKey(bytes(key), counts.get(n).asInt());
            table.add(row);
        }
        return table;
    }

    /** A producer that never stops sending, in batches of all sizes, until it is told to. */
    private static final class Flood {
        private final Thread thread;
        private volatile boolean isStopping;
        private volatile Throwable failure;
        private long sent;

        Flood(KafkaProducer<byte[], byte[]> producer, String topic, int partitions) {
            thread = new Thread(() -> run(producer, topic, partitions), "flood");
            thread.setDaemon(true);
            thread.start();
        }

        private void run(KafkaProducer<byte[], byte[]> producer, String topic, int partitions) {
            try {
                while (!isStopping) {
                    for (long n = sent + 1 + sent % 37; sent < n; sent++) {
                        byte[] key = sent % 5 == 0 ? null : ("k" + sent % 100).getBytes();
                        byte[] value = ("flood " + sent + ".".repeat((int) (sent % 200))).getBytes();
                        producer.send(new ProducerRecord<>(topic, (int) (sent % partitions), null, key, value), this::note);
                    }
                    producer.flush();
                    if (failure != null) return;
                    Thread.sleep(5);
                }
            } catch (Throwable error) {
                failure = error;
            }
        }

        private void note(RecordMetadata place, Exception error) {
            if (error != null) failure = error;
        }

        /** Returns how many records were sent. */
        long stop() throws Exception {
            isStopping = true;
            thread.join();
            if (failure != null) throw new IllegalStateException(failure);
            return sent;
        }
    }
}
