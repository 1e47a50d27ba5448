// Two entries on the same questions: what `hlvid.scoring.compare` computes, with the same numbers and words.
//
//   HlvidStatistics.compare(section, indexA, indexB).verdict      // section: data/SECTION.js
//
// Constants that need special functions come with the section (leaderboard/site/resampling.py).
globalThis.HlvidStatistics = (() => {
  const drawn = new WeakMap(); // section -> recordings of every draw, made once

  function compare(section, a, b) {
    const { clusters, effective, level } = section.resampling;
    const right = [a, b].map((index) => Array.from(section.entries[index].correct, (one) => (one === "1" ? 1 : 0)));
    const n = clusters.length,
      groups = 1 + Math.max(...clusters);
    const differences = right[0].map((one, question) => one - right[1][question]);
    const onlyA = differences.filter((one) => one > 0).length,
      onlyB = differences.filter((one) => one < 0).length;
    const difference = (onlyA - onlyB) / n,
      disagreement = (onlyA + onlyB) / n;
    const sums = sumsOf(differences, clusters, groups),
      sizes = sumsOf(
        clusters.map(() => 1),
        clusters,
        groups,
      );
    const result = {
      names: [a, b].map((index) => section.entries[index].name),
      n,
      level,
      onlyA,
      onlyB,
      difference,
      accuracy: right.map((one) => total(one) / n),
      interval: interval(section, right, difference, disagreement, n, groups, sizes),
      mcnemar: mcnemar(onlyA, onlyB),
      signFlip: signFlip(sums),
      effective,
      recordings: groups,
      leastP: Math.min(1, 2 ** (1 - sums.filter(Boolean).length)), // the sign-flip test's, had one won them all
    };
    const effect = designEffect(differences, sums, sizes);
    result.detectable = detectable(n, disagreement, effect, section.resampling);
    result.shown = result.signFlip < 1 - level && (result.interval.low > 0 || result.interval.high < 0);
    return { ...result, verdict: verdict(result) };
  }

  const total = (values) => values.reduce((sum, one) => sum + one, 0);

  function sumsOf(values, clusters, groups) {
    const sums = new Array(groups).fill(0);
    values.forEach((value, index) => {
      sums[clusters[index]] += value;
    });
    return sums;
  }

  /** Exact binomial McNemar test, two-sided. */
  function mcnemar(onlyA, onlyB) {
    const n = onlyA + onlyB,
      least = Math.min(onlyA, onlyB);
    if (!n) return 1;
    let sum = 0,
      choose = 1,
      logChoose = 0;
    for (let k = 0; k <= least; k++) {
      sum += n <= 1000 ? choose * 2 ** -n : Math.exp(logChoose - n * Math.LN2); // the first is exact while it can be
      choose = (choose * (n - k)) / (k + 1);
      logChoose += Math.log(n - k) - Math.log(k + 1);
    }
    return Math.min(1, 2 * sum);
  }

  /** Exact permutation test that swaps the two in whole recordings: the totals' distribution, recording by recording. */
  function signFlip(sums) {
    const reach = total(sums.map(Math.abs)),
      seen = Math.abs(total(sums));
    let chances = new Float64Array(2 * reach + 1);
    chances[reach] = 1;
    for (const size of sums.map(Math.abs).filter(Boolean)) {
      const next = new Float64Array(chances.length);
      for (let place = 0; place < chances.length; place++) {
        next[place] = ((chances[place - size] ?? 0) + (chances[place + size] ?? 0)) / 2;
      }
      chances = next;
    }
    return Math.min(1, total([...chances].filter((_, place) => Math.abs(place - reach) >= seen)));
  }

  function interval(section, right, difference, disagreement, n, groups, sizes) {
    const { effective, few, critical, unseen, tail } = section.resampling;
    const within = (low, high, reason = null) => ({ low: Math.max(-1, low), high: Math.min(1, high), reason });
    if (groups < 2) return within(-1, 1, "one recording says nothing about others");
    const draws = resampled(section, right, groups, sizes);
    const mean = total(draws) / draws.length;
    const spread = Math.sqrt(total(draws.map((one) => (one - mean) ** 2)) / (draws.length - 1));
    if (spread < 1e-12) {
      return within(difference - unseen, difference + unseen, "every draw of recordings gives the same difference");
    }
    if (effective < few) {
      const independent = Math.sqrt(Math.max(0, disagreement - difference ** 2) / n);
      const half = critical * Math.max(spread, independent);
      return within(difference - half, difference + half);
    }
    draws.sort((one, other) => one - other);
    return { low: quantile(draws, tail), high: quantile(draws, 1 - tail), reason: null };
  }

  /** Differences of accuracy on resampled recordings, the same draws for every pair. */
  function resampled(section, right, groups, sizes) {
    const { clusters, draws } = section.resampling;
    if (!drawn.has(section)) drawn.set(section, recordings(section.resampling, groups));
    const picked = drawn.get(section),
      result = new Array(draws);
    const [sumsA, sumsB] = right.map((one) => sumsOf(one, clusters, groups));
    for (let draw = 0, at = 0; draw < draws; draw++) {
      let [a, b, size] = [0, 0, 0];
      for (let left = groups; left > 0; left--, at++) {
        const group = picked[at];
        a += sumsA[group];
        b += sumsB[group];
        size += sizes[group];
      }
      result[draw] = a / size - b / size;
    }
    return result;
  }

  function recordings({ draws, generator }, groups) {
    const next = HlvidGenerator.integers(generator, groups),
      picked = new Uint32Array(draws * groups);
    for (let at = 0; at < picked.length; at++) picked[at] = next();
    return picked;
  }

  /** numpy's linear quantile of sorted values. */
  function quantile(sorted, share) {
    const place = share * (sorted.length - 1),
      low = Math.floor(place),
      part = place - low;
    const [one, other] = [sorted[low], sorted[Math.min(low + 1, sorted.length - 1)]];
    return part >= 0.5 ? other - (other - one) * (1 - part) : one + (other - one) * part;
  }

  function designEffect(differences, sums, sizes) {
    const n = differences.length,
      groups = sizes.length,
      mean = total(differences) / n;
    const variance = total(differences.map((one) => (one - mean) ** 2)) / n;
    if (groups < 2 || variance === 0) return NaN;
    const residuals = sums.map((sum, group) => sum - mean * sizes[group]);
    return ((groups / (groups - 1)) * total(residuals.map((one) => one ** 2))) / n ** 2 / (variance / n);
  }

  /** Smallest true difference found 8 times in 10 (Connor 1987); null where none would be. */
  function detectable(n, discordance, effect, { z_level, z_power }) {
    if (!(discordance > 0)) return null;
    const size = n / (Number.isFinite(effect) && effect > 1 ? effect : 1);
    const found = (difference) => {
      const reach = difference * Math.sqrt(size) - z_level * Math.sqrt(discordance);
      const spread = Math.sqrt(Math.max(0, discordance - difference ** 2));
      return spread === 0 ? reach >= 0 : reach / spread >= z_power;
    };
    let [low, high] = [0, discordance];
    if (!found(high)) return null;
    for (let halving = 0; halving < 60; halving++) {
      const middle = (low + high) / 2;
      if (found(middle)) high = middle;
      else low = middle;
    }
    return high;
  }

  function verdict(result) {
    const [a, b] = result.names;
    const [better, worse] = result.difference > 0 ? [a, b] : [b, a];
    const headline = result.shown
      ? `${better} and ${worse}: evidence that ${better} is better.`
      : `${a} and ${b}: no evidence of a difference.`;
    const { interval: ends, accuracy } = result;
    const numbers =
      `${a} ${fixed(100 * accuracy[0])} %, ${b} ${fixed(100 * accuracy[1])} % of ${result.n} questions: ` +
      `${points(result.difference)} points, ${100 * result.level} % interval ${points(ends.low)} to ${points(ends.high)} ` +
      `(recordings resampled; sign-flip ${pText(result.signFlip)}, McNemar ${pText(result.mcnemar)}). ` +
      `${a} alone is right on ${result.onlyA}, ${b} alone on ${result.onlyB}.`;
    return `${headline} ${numbers} ${limits(result)}`;
  }

  function limits({ interval: ends, detectable: least, leastP, level, mcnemar, recordings }) {
    if (ends.reason) return `Read with care: ${ends.reason}.`;
    if (mcnemar < 1 - level && 1 - level <= leastP)
      return (
        `Read with care: on ${recordings} recordings the sign-flip test cannot fall below ${pText(leastP)}. On these ` +
        "recordings the difference is clear (McNemar); that it would hold on others, so few cannot show."
      );
    if (least === null) return "With so few disagreements hardly any difference would be found.";
    return `A true difference of ${fixed(100 * least)} points would be found 8 times in 10.`;
  }

  const points = (share) => (share < 0 || Object.is(share, -0) ? "-" : "+") + fixed(Math.abs(100 * share));
  function pText(value) {
    if (value < 0.001) return "p < 0.001";
    const exponent = Number(value.toExponential().split("e")[1]);
    return `p = ${Number(fixed(value, 1 - exponent))}`; // two digits that count
  }

  /** With `decimals`, exact ties to even as Python rounds them (toFixed would round 6.25 up). */
  function fixed(value, decimals = 1) {
    const digits = Math.abs(value).toFixed(80),
      kept = digits.length - 80 + decimals;
    const even = "02468".includes(digits.slice(0, kept).replace(".", "").at(-1));
    const tie = /^50*$/.test(digits.slice(kept).replace(".", "")) && even;
    return tie ? (value < 0 ? "-" : "") + digits.slice(0, kept) : value.toFixed(decimals);
  }

  return { compare, mcnemar, signFlip, fixed, pText };
})();
