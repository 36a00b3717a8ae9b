import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;

/** A record as one line of JSON, bytes as base64: what test/kafka/records.mjs brings the lines of `logq cat -J` into. */
final class RecordLine {
    private static final Base64.Encoder BASE64 = Base64.getEncoder();

    private RecordLine() {}

    /** `place` is what stands first in the object, as JSON with its comma, or empty. */
    static String of(String place, long offset, long timestamp, TimestampType type, byte[] key, byte[] value, Header[] headers) {
        StringBuilder text = new StringBuilder("{").append(place);
        text.append("\"offset\":").append(offset).append(",\"timestamp\":").append(timestamp);
        text.append(",\"timestampType\":\"").append(type.name).append("\",\"key\":").append(base64(key));
        text.append(",\"value\":").append(base64(value)).append(",\"headers\":[");
        for (int n = 0; n < headers.length; n++) {
            if (n > 0) text.append(',');
            String name = base64(headers[n].key().getBytes(StandardCharsets.UTF_8));
            text.append('[').append(name).append(',').append(base64(headers[n].value())).append(']');
        }
        return text.append("]}\n").toString();
    }

    static byte[] bytes(ByteBuffer buffer) {
        if (buffer == null) return null;
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private static String base64(byte[] bytes) {
        return bytes == null ? "null" : '"' + BASE64.encodeToString(bytes) + '"';
    }
}
