// Instants and lengths of time in words. Instants are milliseconds since the epoch, shown in UTC as the API tells them.

const two = (number) => String(number).padStart(2, "0");

export function timeOf(instant, withSeconds = true) {
  const at = new Date(instant);
  const short = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return withSeconds ? `${short}:${two(at.getUTCSeconds())}` : short;
}

export function dateOf(instant) {
  return new Date(instant).toLocaleDateString("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });
}

export function dayOf(instant) {
  return new Date(instant).toLocaleDateString("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
}

export const isoOf = (instant) => new Date(instant).toISOString().replace(".000Z", "Z");

const UNITS = [["year", 31557600], ["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

// The two largest units that matter: "2 h 5 min", "40 s".
export function lengthOf(milliseconds) {
  let left = Math.round(Math.abs(milliseconds) / 1000);
  const parts = [];
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count) parts.push(`${count} ${unit}${unit === "year" && count > 1 ? "s" : ""}`);
    else if (parts.length) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0 s";
}

export function roughly(milliseconds) {
  return lengthOf(milliseconds).split(" ").slice(0, 2).join(" ");
}
