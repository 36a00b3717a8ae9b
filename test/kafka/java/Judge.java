import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.internals.Exit;
import org.apache.kafka.tools.DumpLogSegments;

/**
 * Kafka's side of test/kafka, in one process, because a JVM is slow to start. It takes one request a line, a JSON object whose `do`
 * names what is wanted, and answers each with one line: {"answer":…} or {"error":"…"}. It ends with its standard input.
 */
public final class Judge {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Judge() {}

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Exit.setExitProcedure((status, message) -> {
            throw new IllegalStateException("the tool ended with status " + status + ": " + message);
        });
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = requests.readLine()) != null; ) {
            ObjectNode reply = JSON.createObjectNode();
            try {
                reply.set("answer", JSON.valueToTree(answer(JSON.readTree(line))));
            } catch (Throwable error) {
                reply.put("error", error.toString());
                error.printStackTrace();
            }
            answers.println(JSON.writeValueAsString(reply));
        }
        System.exit(0);
    }

    private static Object answer(JsonNode request) throws Exception {
        String wanted = request.get("do").asText();
        return switch (wanted) {
            case "write" -> {
                Segments.write(path(request, "directory"), request.get("count").asInt());
                yield null;
            }
            case "read" -> Segments.read(path(request, "output"), texts(request.get("logs")));
            case "reindex" -> Segments.reindex(
                    path(request, "work"), request.get("indexIntervalBytes").asInt(), texts(request.get("logs")));
            case "dump" -> dump(texts(request.get("arguments")));
            case "format" -> format(texts(request.get("arguments")));
            default -> Client.answer(wanted, request);
        };
    }

    private record Printed(String stdout, String stderr) {}

    /** What DumpLogSegments prints for these arguments. */
    private static Printed dump(List<String> arguments) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        PrintStream before = System.err;
        try (PrintStream capturedOut = new PrintStream(out, false, StandardCharsets.UTF_8);
                PrintStream capturedErrors = new PrintStream(errors, false, StandardCharsets.UTF_8)) {
            System.setOut(capturedOut);
            System.setErr(capturedErrors);
            DumpLogSegments.main(arguments.toArray(new String[0]));
        } finally {
            System.setOut(before);
            System.setErr(before);
        }
        return new Printed(out.toString(StandardCharsets.UTF_8), errors.toString(StandardCharsets.UTF_8));
    }

    /** kafka-storage.sh: makes the directories of a broker. */
    private static String format(List<String> arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int status = kafka.tools.StorageTool.execute(arguments.toArray(new String[0]), new PrintStream(out));
        if (status != 0) throw new IllegalStateException("StorageTool ended with status " + status + ": " + out);
        return out.toString();
    }

    private static Path path(JsonNode request, String name) {
        return Path.of(request.get(name).asText());
    }

    static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }
}
