package io.regionfs;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The layer map of docs/architecture.md as tests: change both together. */
class ArchitectureTest {
  private static final String BASE = "io.regionfs.";

  private static final Set<String> BELOW_PROCESSES =
      Set.of(
          "fuse",
          "fs",
          "data",
          "region",
          "metaserver",
          "meta",
          "rpc",
          "verbs",
          "posix",
          "proto",
          "model");

  /** Each package with its leaves, and the packages it may import. */
  private static final Map<String, Set<String>> MAY_IMPORT =
      Map.ofEntries(
          Map.entry("model", Set.of()),
          Map.entry("proto", Set.of()),
          Map.entry("posix", Set.of("model")),
          Map.entry("rpc", Set.of("proto", "posix", "model")),
          Map.entry("verbs", Set.of("posix", "model")),
          Map.entry("meta", Set.of("rpc", "proto", "model")),
          Map.entry("metaserver", Set.of("meta", "rpc", "proto", "model")),
          Map.entry("data", Set.of("verbs", "meta", "rpc", "proto", "posix", "model")),
          Map.entry("region", Set.of("data", "meta", "verbs", "rpc", "proto", "posix", "model")),
          Map.entry("fs", Set.of("meta", "data", "posix", "model")),
          Map.entry("fuse", Set.of("fs", "data", "posix", "model")),
          Map.entry("daemon", BELOW_PROCESSES),
          Map.entry("cli", with(BELOW_PROCESSES, "daemon")));

  private static Set<String> with(Set<String> packages, String one) {
    return Stream.concat(packages.stream(), Stream.of(one)).collect(Collectors.toUnmodifiableSet());
  }

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.regionfs");

  @TestFactory
  Stream<DynamicTest> packagesImportOnlyWhatTheMapAllows() {
    return MAY_IMPORT.entrySet().stream()
        .map(
            layer ->
                DynamicTest.dynamicTest(
                    layer.getKey(), () -> checkLayer(layer.getKey(), layer.getValue())));
  }

  private static void checkLayer(String layer, Set<String> allowed) {
    noClasses()
        .that()
        .resideInAPackage(BASE + layer + "..")
        .should()
        .dependOnClassesThat(inRegionFsOutside(layer, allowed))
        .check(CLASSES);
  }

  private static DescribedPredicate<JavaClass> inRegionFsOutside(String self, Set<String> allowed) {
    return DescribedPredicate.describe(
        "are in RegionFS but in none of " + allowed,
        target ->
            target.getPackageName().startsWith(BASE)
                && !layerOf(target).equals(self)
                && !allowed.contains(layerOf(target)));
  }

  private static String layerOf(JavaClass target) {
    String below = target.getPackageName().substring(BASE.length());
    int dot = below.indexOf('.');
    return dot < 0 ? below : below.substring(0, dot);
  }

  @Test
  void everyPackageIsOnTheMap() {
    assertThat(CLASSES.stream().map(ArchitectureTest::layerOf)).isSubsetOf(MAY_IMPORT.keySet());
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("io.regionfs.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void foreignLibrariesHaveOneHome() {
    onlyIn(
        "the C library's binding",
        new String[] {"jnr.."},
        "io.regionfs.posix..",
        "io.regionfs.fuse..");
    onlyIn("jnr-fuse", new String[] {"ru.serce.."}, "io.regionfs.fuse..");
    onlyIn(
        "DiSNI",
        new String[] {"com.ibm.disni.."},
        "io.regionfs.verbs.disni..",
        "io.regionfs.verbs.soft..",
        "io.regionfs.rpc.darpc..");
    onlyIn("DaRPC", new String[] {"com.ibm.darpc.."}, "io.regionfs.rpc.darpc..");
    onlyIn(
        "the Raft engine",
        new String[] {"com.alipay..", "org.rocksdb..", "io.netty..", "com.lmax.."},
        "io.regionfs.metaserver.raft..");
    onlyIn(
        "Micrometer",
        new String[] {"io.micrometer.."},
        "io.regionfs.metaserver",
        "io.regionfs.daemon..");
    onlyIn("Gson", new String[] {"com.google.gson.."}, "io.regionfs.daemon..");
    onlyIn("picocli", new String[] {"picocli.."}, "io.regionfs.cli..");
    onlyIn(
        "raw memory", new String[] {"sun.misc.."}, "io.regionfs.posix..", "com.ibm.disni.util..");
  }

  private static void onlyIn(String what, String[] library, String... homes) {
    noClasses()
        .that()
        .resideOutsideOfPackages(homes)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(library)
        .as(what + " is used only in " + String.join(", ", homes))
        .check(CLASSES);
  }

  @Test
  void nothingStaticChanges() {
    noFields()
        .that()
        .areStatic()
        .and()
        .areDeclaredInClassesThat()
        .resideOutsideOfPackage("io.regionfs.proto..")
        .should()
        .notBeFinal()
        .check(CLASSES);
  }

  @Test
  void everyPackageStatesItsInvariant() {
    assertThat(
            CLASSES.stream()
                .filter(c -> !c.getPackageName().equals("io.regionfs.proto"))
                .map(JavaClass::getPackage)
                .distinct())
        .allSatisfy(p -> assertThat(p.tryGetPackageInfo()).as(p.getName()).isPresent());
  }
}
