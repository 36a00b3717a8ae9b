import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogSegment;

/** Kafka's own readers and writers of segments, without a broker. */
final class Segments {
    static final long BASE_TIMESTAMP = 1_700_000_000_000L;
    static final int LEADER_EPOCH = 3;
    static final int INDEX_INTERVAL_BYTES = 300;

    record Item(long timestamp, byte[] key, byte[] value, Header[] headers) {}

    private Segments() {}

    // ---- write

    /**
     * Writes a log.dir: one topic per codec with `count` random records after the fixed ones, and beside each partition directory
     * TOPIC.expected.jsonl, one line a record.
     */
    static void write(Path directory, int count) throws Exception {
        for (CompressionType codec : CompressionType.values()) {
            String topic = "kafka-" + codec.name;
            File partition = directory.resolve(topic + "-0").toFile();
            Files.createDirectories(partition.toPath());
            try (BufferedWriter expected = Files.newBufferedWriter(directory.resolve(topic + ".expected.jsonl"))) {
                new TopicWriter(partition, codec, expected).run(count);
            }
        }
    }

    static class TopicWriter {
        final File partition;
        final Compression compression;
        final CompressionType codec;
        final BufferedWriter expected;
        final Random random = new Random(20261121);
        LogSegment segment;
        long nextOffset = 40;

        TopicWriter(File partition, CompressionType codec, BufferedWriter expected) throws IOException {
            this.partition = partition;
            this.codec = codec;
            this.compression = Compression.of(codec).build();
            this.expected = expected;
            this.segment = open(partition, nextOffset, true, INDEX_INTERVAL_BYTES);
        }

        void run(int count) throws IOException {
            append(plain(), TimestampType.CREATE_TIME, false);
            append(plain(), TimestampType.LOG_APPEND_TIME, false);
            nextOffset += 7; // what a compaction leaves
            append(List.of(untimed("no timestamp"), untimed("none here")), TimestampType.CREATE_TIME, false);
            append(List.of(item(5, "in", "a committed transaction")), TimestampType.CREATE_TIME, true);
            endTransaction();
            roll();
            append(large(), TimestampType.CREATE_TIME, false);
            for (int left = count; left > 0; ) {
                List<Item> batch = new ArrayList<>();
                for (int n = Math.min(left, 1 + random.nextInt(300)); n > 0; n--, left--) batch.add(randomItem());
                append(batch, TimestampType.CREATE_TIME, false);
                if (random.nextInt(12) == 0) roll();
            }
            // Not closed: as a broker leaves it that was killed, with the .log and the indexes at their preallocated lengths.
            segment.flush();
        }

        void append(List<Item> items, TimestampType type, boolean isTransactional) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
            long appendTime = type == TimestampType.LOG_APPEND_TIME ? BASE_TIMESTAMP + 777 : RecordBatch.NO_TIMESTAMP;
            long baseOffset = nextOffset;
            try (MemoryRecordsBuilder builder = MemoryRecords.builder(buffer, RecordBatch.CURRENT_MAGIC_VALUE, compression, type,
                    baseOffset, appendTime, isTransactional ? 9001L : RecordBatch.NO_PRODUCER_ID,
                    isTransactional ? (short) 2 : RecordBatch.NO_PRODUCER_EPOCH,
                    isTransactional ? 0 : RecordBatch.NO_SEQUENCE, isTransactional, LEADER_EPOCH)) {
                for (Item item : items) {
                    builder.append(item.timestamp, item.key, item.value, item.headers);
                    long timestamp = type == TimestampType.LOG_APPEND_TIME ? appendTime : item.timestamp;
                    expected.write(RecordLine.of("", nextOffset, timestamp, type, item.key, item.value, item.headers));
                    nextOffset++;
                }
                segment.append(nextOffset - 1, builder.build());
            }
        }

        void endTransaction() throws IOException {
            EndTransactionMarker commit = new EndTransactionMarker(ControlRecordType.COMMIT, 0);
            segment.append(nextOffset, MemoryRecords.withEndTransactionMarker(nextOffset, BASE_TIMESTAMP + 6, LEADER_EPOCH, 9001L,
                    (short) 2, commit));
            nextOffset++;
        }

        void roll() throws IOException {
            segment.onBecomeInactiveSegment();
            segment.flush();
            segment.close();
            segment = open(partition, nextOffset, true, INDEX_INTERVAL_BYTES);
        }

        List<Item> plain() {
            Header[] headers = {
                new RecordHeader("source", bytes("web")),
                new RecordHeader("source", (byte[]) null),
                new RecordHeader("", new byte[0]),
                new RecordHeader("binary", new byte[] {0, (byte) 0xff, 10}),
            };
            return List.of(
                new Item(BASE_TIMESTAMP, bytes("user-1"), bytes("hello hello hello hello"), headers),
                new Item(BASE_TIMESTAMP + 250, bytes("user-1"), null, new Header[0]),
                new Item(BASE_TIMESTAMP - 1000, null, new byte[0], new Header[0]),
                new Item(BASE_TIMESTAMP + 1, new byte[0], bytes("gr\u00fc\u00dfe \u2603 \ud83d\ude00"), new Header[0]),
                new Item(BASE_TIMESTAMP + 2, null, null, new Header[0]),
                new Item(BASE_TIMESTAMP + 3, new byte[] {(byte) 0x80}, new byte[] {'a', '\n', 0, (byte) 0xc3}, new Header[0]));
        }

        /** More than one block of every codec; small enough to commit where it is not compressed. */
        List<Item> large() {
            String line = "it is many lines, and they are all the same but for a number: ";
            StringBuilder text = new StringBuilder();
            int lines = codec == CompressionType.NONE ? 40 : 3000;
            for (int n = 0; n < lines; n++) text.append(line).append(n % 10).append('\n');
            return List.of(item(10, "large", text.toString()), item(11, "after", "it"));
        }

        Item randomItem() {
            byte[] key = switch (random.nextInt(4)) {
                case 0 -> null;
                case 1 -> new byte[0];
                default -> randomBytes(random.nextInt(40));
            };
            byte[] value = switch (random.nextInt(8)) {
                case 0 -> null;
                case 1 -> new byte[0];
                case 2 -> randomBytes(random.nextInt(4000));
                default -> bytes(("value " + random.nextInt(100) + " ").repeat(random.nextInt(30)));
            };
            Header[] headers = new Header[random.nextInt(3)];
            for (int n = 0; n < headers.length; n++) {
                headers[n] = new RecordHeader("h" + random.nextInt(2), random.nextBoolean() ? null : randomBytes(random.nextInt(20)));
            }
            return new Item(BASE_TIMESTAMP + 1000 + random.nextInt(1_000_000), key, value, headers);
        }

        byte[] randomBytes(int length) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            return bytes;
        }
    }

    static Item item(long delta, String key, String value) {
        return new Item(BASE_TIMESTAMP + delta, bytes(key), bytes(value), new Header[0]);
    }

    static Item untimed(String value) {
        return new Item(RecordBatch.NO_TIMESTAMP, null, bytes(value), new Header[0]);
    }

    static LogSegment open(File directory, long baseOffset, boolean isPreallocated, int indexIntervalBytes) throws IOException {
        LogConfig config = new LogConfig(
                Map.of("segment.index.bytes", isPreallocated ? 512 : 1048576, "index.interval.bytes", indexIntervalBytes));
        return LogSegment.open(directory, baseOffset, config, Time.SYSTEM, 1 << 15, isPreallocated);
    }

    // ---- read

    /** Writes every record of every .log to `output`, checked, one line each that begins with the path. Returns what is odd. */
    static String read(Path output, List<String> logs) throws IOException {
        StringBuilder findings = new StringBuilder();
        try (BufferedWriter writer = Files.newBufferedWriter(output)) {
            for (String log : logs) {
                try (FileRecords records = FileRecords.open(new File(log), false)) {
                    long end = 0;
                    for (FileChannelRecordBatch batch : records.batches()) {
                        batch.ensureValid();
                        end += batch.sizeInBytes();
                        for (Record record : batch) {
                            record.ensureValid();
                            writer.write(RecordLine.of("\"file\":\"" + log + "\",", record.offset(), record.timestamp(),
                                    batch.timestampType(), RecordLine.bytes(record.key()), RecordLine.bytes(record.value()),
                                    record.headers()));
                        }
                    }
                    if (end != records.sizeInBytes())
                        findings.append(log).append(": ").append(records.sizeInBytes() - end).append(" bytes are left over\n");
                }
            }
        }
        return findings.toString();
    }

    // ---- reindex

    /**
     * Appends the batches of each .log to a fresh segment of Kafka's, and compares the indexes that result with those beside the .log,
     * byte for byte; a path that ends in ! is the active segment of its partition. Returns the differences.
     */
    static String reindex(Path work, int indexIntervalBytes, List<String> logs) throws IOException {
        StringBuilder findings = new StringBuilder();
        int number = 0;
        for (String name : logs) {
            boolean isActive = name.endsWith("!");
            Path log = Path.of(isActive ? name.substring(0, name.length() - 1) : name);
            String stem = log.getFileName().toString().replace(".log", "");
            File copy = work.resolve(String.valueOf(number++)).toFile();
            Files.createDirectories(copy.toPath());
            LogSegment segment = open(copy, Long.parseLong(stem), false, indexIntervalBytes);
            try (FileRecords records = FileRecords.open(log.toFile(), false)) {
                for (FileChannelRecordBatch batch : records.batches()) {
                    ByteBuffer buffer = ByteBuffer.allocate(batch.sizeInBytes());
                    batch.writeTo(buffer);
                    buffer.flip();
                    segment.append(batch.lastOffset(), MemoryRecords.readableRecords(buffer));
                }
            }
            if (isActive) {
                segment.offsetIndex().trimToValidSize();
                segment.timeIndex().trimToValidSize();
            } else {
                segment.onBecomeInactiveSegment();
            }
            segment.flush();
            for (String suffix : List.of(".index", ".timeindex")) {
                byte[] kafkas = Files.readAllBytes(copy.toPath().resolve(stem + suffix));
                byte[] ours = Files.readAllBytes(log.resolveSibling(stem + suffix));
                int at = Arrays.mismatch(kafkas, ours);
                if (at == -1) continue;
                findings.append(log.resolveSibling(stem + suffix) + ": differs from Kafka's at byte " + at + " (" + ours.length
                        + " bytes, Kafka has " + kafkas.length + ")\n");
            }
            segment.close();
        }
        return findings.toString();
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
