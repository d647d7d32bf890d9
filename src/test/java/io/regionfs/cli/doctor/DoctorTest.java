package io.regionfs.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.cli.doctor.Finding.Verdict;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void anEmptyMachineLacksWhatAMountNeeds() {
    List<Finding> findings = Doctor.of(new Machine(directory, 1000, Map.of())).examine();
    assertThat(findings)
        .filteredOn(finding -> finding.verdict() == Verdict.FAIL)
        .extracting(Finding::check)
        .containsExactly("fuse device", "fuse library", "fusermount");
    assertThat(findings)
        .filteredOn(finding -> finding.verdict() == Verdict.FAIL)
        .allSatisfy(finding -> assertThat(finding.advice()).isNotEmpty());
  }
}
