package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.RegionConcurrencyContract;
import io.regionfs.data.Regions;
import io.regionfs.model.NodeId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** The home's own way to its regions. */
@SuppressWarnings("MustBeClosedChecker") // closed in nothingIsLeft
class LocalRegionTest extends RegionConcurrencyContract {
  private final FakeFabric fabric = new FakeFabric();
  private final List<Path> directories = new ArrayList<>();
  private final List<LentMemory> memories = new ArrayList<>();

  @Override
  protected Regions start(long capacityBytes) throws IOException {
    Path directory = LentMemoryFixture.newDirectory();
    directories.add(directory);
    LentMemoryOptions options = new LentMemoryOptions(directory, capacityBytes, capacityBytes);
    LentMemory memory = LentMemory.open(options, fabric, LentMemoryFixture.SELF, HeapBuffer::new);
    memories.add(memory);
    return memory;
  }

  @Override
  protected NodeId home() {
    return new NodeId(1);
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    // The contract's own clean-up comes after this one and closes them again.
    memories.forEach(LentMemory::close);
    for (Path directory : directories) {
      LentMemoryFixture.delete(directory);
    }
    assertThat(fabric.registrations()).isZero();
  }
}
