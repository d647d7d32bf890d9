package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.DirectRegions;
import io.regionfs.data.RegionConcurrencyContract;
import io.regionfs.data.Regions;
import io.regionfs.model.NodeId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** The home's own way to regions that its kernel uses too. */
@SuppressWarnings("MustBeClosedChecker") // closed in nothingIsLeft
class DirectRegionTest extends RegionConcurrencyContract {
  private final FakeFabric fabric = new FakeFabric();
  private final List<Path> directories = new ArrayList<>();
  private final List<DirectRegions> ways = new ArrayList<>();
  private final List<LentMemory> memories = new ArrayList<>();

  @Override
  protected Regions start(long capacityBytes) throws IOException {
    Path directory = LentMemoryFixture.newDirectory();
    directories.add(directory);
    LentMemoryOptions options = new LentMemoryOptions(directory, capacityBytes, capacityBytes);
    LentMemory memory = LentMemory.open(options, fabric, LentMemoryFixture.SELF, HeapBuffer::new);
    memories.add(memory);
    DirectRegions way = new DirectRegions(memory, memory);
    ways.add(way);
    return way;
  }

  @Override
  protected NodeId home() {
    return new NodeId(1);
  }

  @Override
  protected long bytesOfHoleAtEnd() {
    return Pages.BYTES;
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    // The contract's own clean-up comes after this one and closes them again.
    ways.forEach(DirectRegions::close);
    memories.forEach(LentMemory::close);
    for (Path directory : directories) {
      LentMemoryFixture.delete(directory);
    }
    assertThat(fabric.registrations()).isZero();
  }
}
