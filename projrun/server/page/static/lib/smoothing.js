// @ts-check
/** Smoothing of curves as TensorBoard does it: an exponential moving average with its bias at the start corrected. */

/**
 * The smoothed values. What is not finite stays as it is and does not count.
 * @param {ArrayLike<number>} values
 * @param {number} weight 0 (none) to below 1
 * @returns {number[]}
 */
export function smooth(values, weight) {
  const answer = new Array(values.length);
  let sum = 0;
  let remaining = 1; // weight ** (number of finite values so far)
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (!Number.isFinite(value) || !(weight > 0)) {
      answer[index] = value;
      continue;
    }
    sum = sum * weight + value * (1 - weight);
    remaining *= weight;
    answer[index] = sum / (1 - remaining);
  }
  return answer;
}
