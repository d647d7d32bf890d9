package io.regionfs.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.util.FileSize;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where the log goes: warnings to stderr for a command, everything to a file in the state directory
 * for a node in the background. Logback finds this class through META-INF/services; a logback.xml
 * on the class path, or {@code -Dlogback.configurationFile}, takes precedence. {@code
 * REGIONFS_LOG=debug} raises the level.
 */
@ConfiguratorRank(Logging.BELOW_CONFIGURATION_FILES)
public final class Logging extends ContextAwareBase implements Configurator {
  static final int BELOW_CONFIGURATION_FILES = ConfiguratorRank.FALLBACK + 1;

  /** System property: the file to log to, set before the first logger is made. */
  private static final String FILE = "regionfs.log";

  private static final String LEVEL = "regionfs.log.level";

  /** The Raft engine's transport would set up a logging of its own, in the user's home. */
  private static final String ENGINES_OWN = "sofa.middleware.log.disable";

  /**
   * The Raft engine calls each attempt to reach a replica that is down an error, with a stack
   * trace, twice a second. What matters of it is logged by its home in RegionFS.
   */
  private static final String ENGINE = "com.alipay";

  private static final long FILE_BYTES = 10L << 20;
  private static final int OLD_FILES = 3;

  /** From now on: to this file, or to stderr if null. Called before anything logs. */
  static void to(@Nullable Path file) {
    System.setProperty(ENGINES_OWN, "true");
    if (file != null) {
      System.setProperty(FILE, file.toString());
    }
    System.setProperty(LEVEL, "INFO");
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    String file = System.getProperty(FILE);
    OutputStreamAppender<ILoggingEvent> appender =
        file == null ? toStderr() : toFile(context, file);
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern("%d{yyyy-MM-dd'T'HH:mm:ss.SSS} %-5level [%thread] %logger{0}: %msg%n");
    encoder.start();
    appender.setContext(context);
    appender.setEncoder(encoder);
    appender.start();
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.WARN);
    root.addAppender(appender);
    context.getLogger("io.regionfs").setLevel(level());
    context
        .getLogger(ENGINE)
        .setLevel(level().isGreaterOrEqual(Level.INFO) ? Level.OFF : Level.WARN);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  private static Level level() {
    String wanted = System.getenv("REGIONFS_LOG");
    return Level.toLevel(
        wanted == null ? System.getProperty(LEVEL, "WARN") : wanted.toUpperCase(Locale.ROOT),
        Level.INFO);
  }

  private static OutputStreamAppender<ILoggingEvent> toStderr() {
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setTarget("System.err");
    return appender;
  }

  private static OutputStreamAppender<ILoggingEvent> toFile(LoggerContext context, String file) {
    RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
    appender.setContext(context);
    appender.setFile(file);
    FixedWindowRollingPolicy old = new FixedWindowRollingPolicy();
    old.setContext(context);
    old.setParent(appender);
    old.setFileNamePattern(file + ".%i");
    old.setMinIndex(1);
    old.setMaxIndex(OLD_FILES);
    old.start();
    SizeBasedTriggeringPolicy<ILoggingEvent> size = new SizeBasedTriggeringPolicy<>();
    size.setContext(context);
    size.setMaxFileSize(new FileSize(FILE_BYTES));
    size.start();
    appender.setRollingPolicy(old);
    appender.setTriggeringPolicy(size);
    return appender;
  }
}
