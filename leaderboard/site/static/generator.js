// numpy's default generator (PCG64, XSL-RR) and its bounded integers, so that the browser draws what Python draws.
//
//   const draw = HlvidGenerator.integers({state: "…", increment: "…"}, 30);   draw()   // 0 … 29
//
// O'Neill 2014 (PCG); Lemire 2019, "Fast random integer generation in an interval", on halves of 64-bit outputs.
globalThis.HlvidGenerator = (() => {
  const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
  const MASK128 = (1n << 128n) - 1n,
    MASK64 = (1n << 64n) - 1n;
  const TWO32 = 2 ** 32;

  /** Unsigned 32-bit numbers: the low half of each 64-bit output first. */
  function words({ state, increment }) {
    let current = BigInt(`0x${state}`),
      kept = null;
    const step = BigInt(`0x${increment}`);
    return () => {
      if (kept !== null) {
        const high = kept;
        kept = null;
        return high;
      }
      current = (current * MULTIPLIER + step) & MASK128;
      const folded = (current >> 64n) ^ (current & MASK64),
        turn = current >> 122n;
      const output = ((folded >> turn) | (folded << (64n - turn))) & MASK64;
      kept = Number(output >> 32n);
      return Number(output & 0xffffffffn);
    };
  }

  /** As `numpy.random.Generator.integers(0, count)` for counts below 2^21. */
  function integers(generator, count) {
    const next = words(generator),
      threshold = TWO32 % count;
    if (count === 1) return () => 0; // numpy draws nothing then
    return () => {
      let product = next() * count; // exact: below 2^53
      while (product % TWO32 < threshold) product = next() * count;
      return Math.floor(product / TWO32);
    };
  }

  return { integers };
})();
