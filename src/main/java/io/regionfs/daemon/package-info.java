/**
 * What a node and a replica of the metadata service consist of: they are put together here, from
 * all packages but the commands.
 *
 * <p>Invariant: what is opened here is closed here, in reverse order.
 */
@NullMarked
package io.regionfs.daemon;

import org.jspecify.annotations.NullMarked;
