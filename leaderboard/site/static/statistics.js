// Two entries on the same questions: what `hlvid.scoring.compare` computes, with the same numbers and words.
//
//   HlvidStatistics.compare(section, indexA, indexB).verdict      // section: data/SECTION.js
//
// Constants that need special functions come with the section (leaderboard/site/paired.py).
globalThis.HlvidStatistics = (() => {
  function compare(section, a, b) {
    const { clusters, level, weights } = section.paired;
    const right = [a, b].map((index) => Array.from(section.entries[index].correct, (one) => (one === "1" ? 1 : 0)));
    const n = clusters.length,
      groups = 1 + Math.max(...clusters);
    const differences = right[0].map((one, question) => one - right[1][question]);
    const onlyA = differences.filter((one) => one > 0).length,
      onlyB = differences.filter((one) => one < 0).length;
    const weighted = (values) => (weights ? values.map((value, at) => value * weights[at]) : values);
    const difference = total(weighted(differences)) / n,
      disagreement = total(weighted(differences).map(Math.abs)) / n;
    const sums = sumsOf(weighted(differences), clusters, groups),
      sizes = sumsOf(weighted(new Array(n).fill(1)), clusters, groups);
    const independent = independentError(differences, difference, weights);
    const result = {
      names: [a, b].map((index) => section.entries[index].name),
      n,
      level,
      onlyA,
      onlyB,
      difference,
      accuracy: right.map((one) => total(weighted(one)) / n),
      meanOf: section.paired.mean_of,
      interval: interval(section.paired, sums, difference, groups, sizes),
      mcnemar: mcnemar(onlyA, onlyB),
      signFlip: signFlip(sums),
      recordings: groups,
      deciding: sums.filter((sum) => Math.abs(sum) > 1e-9).length,
      needed: section.paired.recordings_needed,
    };
    const effect = designEffect(sums, sizes, difference, independent);
    result.detectable = detectable(Math.min(1, disagreement), effect, section.paired);
    result.shown = result.signFlip < 1 - level && (result.interval.low > 0 || result.interval.high < 0);
    result.pairs = section.paired.pairs;
    result.shownTogether = result.shown && result.signFlip <= section.paired.largest_p * (1 + 1e-9);
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

  /** Permutation test that swaps the two in whole recordings; sums that are not whole (weights) as Python takes them. */
  function signFlip(sums) {
    const sizes = sums.map(Math.abs).filter((size) => size > 1e-9),
      seen = Math.abs(total(sums));
    if (!sizes.length) return 1;
    if (sizes.every((size) => Math.abs(size - Math.round(size)) < 1e-9)) return counted(sizes.map(Math.round), Math.round(seen));
    if (sizes.length <= 12) {
      let totals = [0];
      for (const size of sizes) totals = totals.flatMap((one) => [one + size, one - size]);
      return totals.filter((one) => Math.abs(one) >= seen * (1 - 1e-9)).length / totals.length;
    }
    const step = total(sizes) / Math.min(16384, 64 * sizes.length);
    return counted(sizes.map((size) => even(size / step)), even(seen / step));
  }

  /** The totals' distribution, size by size: the chance of one at least as far from 0 as the one seen. */
  function counted(sizes, seen) {
    const reach = total(sizes);
    let chances = new Float64Array(2 * reach + 1);
    chances[reach] = 1;
    for (const size of sizes.filter(Boolean)) {
      const next = new Float64Array(chances.length);
      for (let place = 0; place < chances.length; place++) {
        next[place] = ((chances[place - size] ?? 0) + (chances[place + size] ?? 0)) / 2;
      }
      chances = next;
    }
    return Math.min(1, total([...chances].filter((_, place) => Math.abs(place - reach) >= seen)));
  }

  /** numpy's rounding: halves to even. */
  const even = (value) => {
    const low = Math.floor(value);
    return value - low === 0.5 ? low + (low % 2) : Math.round(value);
  };

  /** Standard error of the difference had every question a recording of its own. */
  function independentError(differences, difference, weights) {
    const n = differences.length;
    return Math.sqrt(total(differences.map((one, at) => (((weights?.[at] ?? 1) / n) * (one - difference)) ** 2)));
  }

  function interval({ critical, unseen }, sums, difference, groups, sizes) {
    const within = (half, reason = null) => ({
      low: Math.max(-1, difference - half),
      high: Math.min(1, difference + half),
      reason,
    });
    if (groups < 2) return { low: -1, high: 1, reason: "one recording says nothing about others" };
    const n = total(sizes);
    const squares = sums.map((sum, group) => (sum - difference * sizes[group]) ** 2 / (1 - sizes[group] / n));
    const error = Math.sqrt(total(squares)) / n;
    return error < 1e-12 ? within(unseen, "every recording gives the same difference") : within(critical * error);
  }

  function designEffect(sums, sizes, difference, independent) {
    const groups = sizes.length,
      n = total(sizes);
    if (groups < 2 || independent ** 2 < 1e-15) return NaN;
    const residuals = sums.map((sum, group) => (sum - difference * sizes[group]) / n);
    return ((groups / (groups - 1)) * total(residuals.map((one) => one ** 2))) / independent ** 2;
  }

  /** Smallest true difference that the rule finds 8 times in 10 (Connor 1987, times `factor`); null where none would be. */
  function detectable(discordance, effect, { z_level, z_power, effective_questions, factor }) {
    if (!(discordance > 0) || factor === null) return null;
    const size = effective_questions / ((Number.isFinite(effect) && effect > 1 ? effect : 1) * factor ** 2);
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
    const headline = !(result.onlyA + result.onlyB)
      ? `${a} and ${b}: right on the very same questions.`
      : result.shown
      ? `${better} and ${worse}: evidence that ${better} is better.`
      : `${a} and ${b}: no evidence of a difference.`;
    const { interval: ends, accuracy } = result;
    const numbers =
      `${a} ${fixed(100 * accuracy[0])} %, ${b} ${fixed(100 * accuracy[1])} % ` +
      `${result.meanOf === "questions" ? "of" : "as the mean of the categories of"} ${result.n} questions: ` +
      `${points(result.difference)} points, ${100 * result.level} % interval ${points(ends.low)} to ${points(ends.high)} ` +
      `(clustered by recording; sign-flip ${pText(result.signFlip)}, McNemar ${pText(result.mcnemar)}). ` +
      `${a} alone is right on ${result.onlyA}, ${b} alone on ${result.onlyB}.`;
    return `${headline} ${numbers} ${limits(result)}`;
  }

  const leastP = (recordings) => Math.min(1, 2 ** (1 - recordings)); // the sign-flip test's, had one won them all

  function limits(result) {
    const { interval: ends, detectable: least, level, mcnemar, recordings, deciding } = result;
    if (recordings > 1 && leastP(recordings) >= 1 - level) {
      return tooFew(`there are ${recordings} recordings, and on so few`, recordings, result);
    }
    if (ends.reason) return `Read with care: ${ends.reason}.`;
    if (mcnemar < 1 - level && 1 - level <= leastP(deciding)) {
      return tooFew(`one is ahead on ${deciding} recordings, and on so few`, deciding, result);
    }
    if (least === null) return "With so few disagreements hardly any difference would be found.";
    return `A true difference of ${fixed(100 * least)} points would be found 8 times in 10.`;
  }

  function tooFew(why, count, { mcnemar, level, needed }) {
    const clear =
      " On these recordings the difference is clear (McNemar); that it would hold on others, so few cannot show.";
    return (
      `Read with care: ${why} the sign-flip test cannot fall below ${pText(leastP(count))}; it takes ${needed}.` +
      (mcnemar < 1 - level ? clear : "")
    );
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
