package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
  @Test
  void readsBackWhatItWrites() {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("text", "a \"quoted\" back\\slash\nline\u0001 é \ud83d\ude00");
    value.put("number", Long.MIN_VALUE);
    value.put("fraction", 0.25);
    value.put("yes", true);
    value.put("nothing", null);
    value.put("list", new ArrayList<>(Arrays.asList(1L, "x", null, List.of(), Map.of())));
    String line = Json.write(value);
    assertThat(line).doesNotContain("\n");
    assertThat(Json.parseObject(line)).isEqualTo(value);
  }

  @Test
  void acceptsBlanksAndEscapes() {
    assertThat(Json.parseObject(" { \"a\" : [ 1 , -2 ] , \"b\" : \"\\u0041\\/\\t\" } "))
        .isEqualTo(Map.of("a", List.of(1L, -2L), "b", "A/\t"));
  }

  @Test
  void refusesWhatIsNoObject() {
    for (String wrong :
        List.of(
            "",
            "{",
            "[]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1}x",
            "{\"a\":1,}",
            "{\"a\":\"\\u00\"}",
            "{\"a\":nul}",
            "status")) {
      assertThatThrownBy(() -> Json.parseObject(wrong))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
