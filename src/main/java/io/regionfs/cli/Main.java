package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.model.FsException;
import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program: its commands, and what a failure looks like to the one who called it. */
@Command(
    name = "regionfs",
    versionProvider = Main.Version.class,
    sortOptions = false,
    synopsisSubcommandLabel = "COMMAND",
    description = "Remote memory as files: a filesystem whose bytes are other hosts' memory.%n",
    commandListHeading = "%nCommands:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:it could not be done; the last line on stderr says why and what to do",
      "2:the command line was wrong"
    },
    footer = {
      "%nExamples:",
      "  regionfs mount /mnt/region                      alone, or as the first host",
      "  regionfs mount /mnt/region --meta 10.0.0.1:7470 join the cluster of that host",
      "  regionfs status /mnt/region",
      "  regionfs umount /mnt/region"
    },
    subcommands = {
      MountCommand.class,
      UmountCommand.class,
      StatusCommand.class,
      RegionCommand.class,
      RefreshCommand.class,
      MetaCommand.class,
      FabricCommand.class,
      DoctorCommand.class,
      CompletionCommand.class,
      HelpCommand.class
    })
public final class Main implements Runnable {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;

  @Spec private @Nullable CommandSpec spec;

  @Mixin private final HelpOption help = new HelpOption();

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  private boolean version;

  @Override
  public void run() {
    if (spec != null && !help.wanted() && !version) {
      throw new ParameterException(spec.commandLine(), "a command is missing");
    }
  }

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    CommandLine program = new CommandLine(new Main());
    addHelp(program);
    return program
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler((e, arguments) -> wrongUsage(e))
        .setExecutionExceptionHandler((e, command, result) -> failed(e, command));
  }

  private static void addHelp(CommandLine parent) {
    for (CommandLine command : parent.getSubcommands().values()) {
      if (!(command.getCommand() instanceof HelpCommand)) {
        command.addMixin("help", new HelpOption());
        addHelp(command);
      }
    }
  }

  private static int wrongUsage(ParameterException e) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    PrintWriter err = command.getErr();
    err.println(name + ": " + oneLine(e.getMessage()) + " (see '" + name + " --help')");
    return WRONG_USAGE;
  }

  private static int failed(Exception e, CommandLine command) {
    String name = command.getCommandSpec().qualifiedName();
    PrintWriter err = command.getErr();
    boolean expected =
        e instanceof CommandFailure || e instanceof FsException || e instanceof IOException;
    err.println(
        name
            + ": "
            + (expected
                ? oneLine(e.getMessage())
                : "internal error: " + oneLine(e.toString()) + "; REGIONFS_DEBUG=1 shows more"));
    if (System.getenv("REGIONFS_DEBUG") != null) {
      e.printStackTrace(err);
    }
    return FAILED;
  }

  private static String oneLine(@Nullable String message) {
    return message == null ? "failed" : message.strip().replaceAll("\\s*\\R\\s*", " ");
  }

  /** From the jar's manifest, where the build puts it. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"regionfs " + (version == null ? "(not built)" : version)};
    }
  }
}
