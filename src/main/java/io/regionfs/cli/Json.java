package io.regionfs.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import com.google.gson.reflect.TypeToken;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON of maps, lists, strings, longs, doubles, booleans and null, for status and the control
 * protocol.
 */
final class Json {
  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          .setStrictness(Strictness.STRICT)
          .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
          .create();
  private static final TypeToken<Map<String, @Nullable Object>> OBJECT = new TypeToken<>() {};

  private Json() {}

  /** One line. */
  static String write(@Nullable Object value) {
    return GSON.toJson(value);
  }

  /**
   * @throws IllegalArgumentException if it is no JSON object
   */
  static Map<String, @Nullable Object> parseObject(String text) {
    Map<String, @Nullable Object> object;
    try {
      object = GSON.fromJson(text, OBJECT);
    } catch (JsonParseException e) {
      throw new IllegalArgumentException("not JSON: " + e.getMessage(), e);
    }
    if (object == null) {
      throw new IllegalArgumentException("not JSON: one object expected");
    }
    return object;
  }
}
