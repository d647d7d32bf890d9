package io.regionfs.daemon;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON of maps, lists, strings, longs, doubles, booleans and null, for status and the control
 * protocol.
 */
public final class Json {
  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          .setStrictness(Strictness.STRICT)
          .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
          .create();

  private Json() {}

  /** One line. */
  public static String write(@Nullable Object value) {
    return GSON.toJson(value);
  }

  /**
   * @throws IllegalArgumentException if it is no JSON object
   */
  @SuppressWarnings("unchecked") // the keys of a parsed object are strings
  public static Map<String, @Nullable Object> parseObject(String text) {
    try {
      if (GSON.fromJson(text, Object.class) instanceof Map<?, ?> object) {
        return (Map<String, @Nullable Object>) object;
      }
    } catch (JsonParseException e) {
      throw new IllegalArgumentException("not JSON: " + e.getMessage(), e);
    }
    throw new IllegalArgumentException("not JSON: one object expected");
  }
}
