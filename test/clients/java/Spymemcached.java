import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.spy.memcached.CASResponse;
import net.spy.memcached.CASValue;
import net.spy.memcached.MemcachedClient;

/** spymemcached by its text protocol, which is its default: one connection for all threads. */
public final class Spymemcached {
  static final String HOST = System.getenv("CLIENT_HOST");
  static final int PORT = Integer.parseInt(System.getenv("CLIENT_MEMCACHED_PORT"));
  static final int BOUND_PORT = Integer.parseInt(System.getenv("CLIENT_BOUND_PORT"));
  static final String SIGN_IN =
      System.getenv("CLIENT_TOKEN") + " " + System.getenv("CLIENT_PROJECT") + " " + System.getenv("CLIENT_CACHE");

  interface Operation {
    void run() throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SunLogger");
    java.util.logging.LogManager.getLogManager().reset();
    MemcachedClient client = connect(PORT);

    operation("wrong token", () -> {
      MemcachedClient wrong = connect(PORT);
      refused(() -> wrong.set("oauth", 0, "wrong" + SIGN_IN).get());
      wrong.shutdown();
    });
    operation("sign-in", () -> same(client.set("oauth", 0, SIGN_IN).get(), true));
    operation("set, get", () -> {
      same(client.set("key", 0, "value").get(), true);
      same(client.get("key"), "value");
      same(client.get("not-there"), null);
      client.set("empty", 0, "").get();
      same(client.get("empty"), "");
    });
    operation("add, replace", () -> {
      same(client.add("added", 0, "1").get(), true);
      same(client.add("added", 0, "2").get(), false);
      same(client.replace("added", 0, "3").get(), true);
      same(client.replace("not-there", 0, "4").get(), false);
      same(client.get("added"), "3");
    });
    operation("append, prepend", () -> {
      same(client.append("key", ">").get(), true);
      same(client.prepend("key", "<").get(), true);
      same(client.get("key"), "<value>");
    });
    operation("delete", () -> {
      same(client.delete("key").get(), true);
      same(client.delete("key").get(), false);
    });
    operation("incr, decr", () -> {
      client.set("number", 0, "10").get();
      same(client.incr("number", 5), 15L);
      same(client.decr("number", 20), 0L);
      same(client.incr("not-there", 1), -1L);
      same(client.incr("created", 1, 100L), 100L);
      same(client.incr("created", 1, 100L), 101L);
    });
    operation("touch", () -> {
      client.set("touched", 100, "1").get();
      same(client.touch("touched", 1).get(), true);
      same(client.touch("not-there", 1).get(), false);
    });
    say("absent", "gat", "by its binary protocol only");
    operation("multi-get of 100 keys", () -> {
      List<String> keys = new ArrayList<>(List.of("not-there"));
      for (int i = 0; i < 100; i++) {
        keys.add("many-" + i);
        client.set("many-" + i, 0, "value " + i);
      }
      Map<String, Object> found = client.getBulk(keys);
      same(found.size(), 100);
      same(found.get("many-42"), "value 42");
    });
    operation("cas", () -> {
      client.set("cas", 0, "1").get();
      CASValue<Object> found = client.gets("cas");
      same(found.getValue(), "1");
      same(client.cas("cas", found.getCas(), "2"), CASResponse.OK);
      same(client.cas("cas", found.getCas(), "3"), CASResponse.EXISTS);
      same(client.cas("not-there", found.getCas(), "3"), CASResponse.NOT_FOUND);
      same(client.get("cas"), "2");
    });
    operation("flags, types", () -> {
      Object[] values = {"text", "ä", 42, 1L << 60, 1.5, true, (byte) 7, new ArrayList<>(List.of(1, "b")), "zipped ".repeat(10_000)};
      for (Object value : values) {
        client.set("typed", 0, value).get();
        same(client.get("typed"), value);
      }
    });
    operation("all byte values", () -> {
      byte[] all = new byte[256];
      for (int i = 0; i < 256; i++) all[i] = (byte) i;
      client.set("bytes", 0, all).get();
      same(Arrays.equals((byte[]) client.get("bytes"), all), true);
    });
    operation("900 KB", () -> {
      byte[] large = new byte[900 * 1024];
      new java.util.Random(1).nextBytes(large);
      same(client.set("large", 0, large).get(), true);
      same(Arrays.equals((byte[]) client.get("large"), large), true);
    });
    operation("expiry", () -> {
      client.set("expiring", 1, "1").get();
      client.set("staying", 100, "1").get();
      same(client.get("expiring"), "1");
      Thread.sleep(2100);
      same(client.get("expiring"), null);
      same(client.get("touched"), null);
      same(client.get("staying"), "1");
    });
    operation("stats, version", () -> {
      same(Long.parseLong(client.getStats().values().iterator().next().get("curr_items")) > 0, true);
      same(client.getStats("settings").size(), 1);
      same(client.getVersions().size(), 1);
    });
    operation("flush", () -> {
      client.set("flushed", 0, "1").get();
      same(client.flush().get(), true);
      same(client.get("flushed"), null);
    });
    operation("reconnect", () -> {
      MemcachedClient again = connect(PORT);
      refused(() -> again.set("key", 0, "1").get());
      same(again.set("oauth", 0, SIGN_IN).get(), true);
      again.set("key", 0, "again").get();
      same(client.get("key"), "again");
      again.shutdown();
    });
    operation("threads, bound listener", () -> {
      MemcachedClient shared = connect(BOUND_PORT);
      ExecutorService threads = Executors.newFixedThreadPool(8);
      List<Future<Object>> found = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        int number = i;
        found.add(threads.submit(() -> {
          shared.set("pooled-" + number, 0, number).get();
          return shared.get("pooled-" + number);
        }));
      }
      for (int i = 0; i < 200; i++) same(found.get(i).get(), i);
      threads.shutdown();
      same(client.get("pooled-7"), 7);
      shared.shutdown();
    });
    client.shutdown();
    System.exit(0);
  }

  static MemcachedClient connect(int port) throws Exception {
    return new MemcachedClient(new InetSocketAddress(HOST, port));
  }

  static void operation(String name, Operation operation) {
    try {
      operation.run();
      say("passed", name);
    } catch (Exception | AssertionError error) {
      say("failed", name, error.toString());
    }
  }

  /** The answer must be false, or none. */
  static void refused(java.util.concurrent.Callable<Boolean> attempt) {
    boolean done;
    try {
      done = attempt.call();
    } catch (Exception expected) {
      return;
    }
    same(done, false);
  }

  static void same(Object found, Object expected) {
    if (!Objects.equals(found, expected)) throw new AssertionError(shown(found) + " instead of " + shown(expected));
  }

  static String shown(Object value) {
    String text = String.valueOf(value);
    return text.substring(0, Math.min(80, text.length()));
  }

  static void say(String... words) {
    for (int i = 0; i < words.length; i++) words[i] = words[i].replaceAll("\\s+", " ");
    System.out.println(String.join("\t", words));
  }
}
