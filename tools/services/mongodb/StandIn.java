import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import io.netty.channel.Channel;
import java.util.List;

/**
 * A stand-in for MongoDB, for tests: it speaks the protocol, holds everything in memory, and is one process.
 * What it lacks: transactions, TTL, partial indexes, collation, explain; an index that is not unique is accepted and ignored.
 *
 * <p>Arguments: the address and the port to listen on.
 */
public final class StandIn extends MemoryBackend {
  /** What a driver of today asks for at least; the library itself answers an older one. */
  private static final List<Integer> VERSION = List.of(7, 0, 0);
  private static final int WIRE_VERSION = 21;
  private static final int AUTHENTICATION_FAILED = 18;

  /** One command at a time: the library hands out live documents, which the next update would change while they are written. */
  private final Object turn = new Object();

  @Override
  public Document handleMessage(MongoMessage message) {
    Document request = message.getDocument();
    String command = request.isEmpty() ? "" : request.keySet().iterator().next();
    switch (command) {
      case "hello":
        return hello(message, request);
      case "saslStart":
        // It knows no users. A real server answers this to wrong ones.
        throw new MongoServerError(AUTHENTICATION_FAILED, "AuthenticationFailed", "Authentication failed.");
      case "getMore":
        return super.handleMessage(message);
      default:
        synchronized (turn) {
          return super.handleMessage(message).cloneDeeply();
        }
    }
  }

  @Override
  public Document handleCommand(Channel channel, String database, String command, Document request) {
    synchronized (turn) {
      return super.handleCommand(channel, database, command, request).cloneDeeply();
    }
  }

  /** The library knows the question by its old name only. */
  private Document hello(MongoMessage message, Document request) {
    Document renamed = new Document("isMaster", 1);
    request.forEach((key, value) -> {
      if (!key.equals("hello")) renamed.put(key, value);
    });
    request.clear();
    request.putAll(renamed);
    Document answer = super.handleMessage(message);
    answer.put("isWritablePrimary", true);
    return answer;
  }

  public static void main(String[] arguments) {
    MongoBackend backend = new StandIn();
    backend.version(new MongoVersion() {
      @Override
      public List<Integer> getVersionArray() {
        return VERSION;
      }

      @Override
      public int getWireVersion() {
        return WIRE_VERSION;
      }
    });
    MongoServer server = new MongoServer(backend);
    server.bind(arguments[0], Integer.parseInt(arguments[1]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    System.out.println("listening");
  }
}
