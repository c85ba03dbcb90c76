/** Dates in HTTP headers. */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// RFC 9110 5.6.7: IMF-fixdate, then the two obsolete forms that a recipient must accept: RFC 850's and asctime's.
const forms = [
  /^\w{3}, (?<day>\d{2}) (?<month>\w{3}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
  /^\w{6,9}, (?<day>\d{2})-(?<month>\w{3})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
  /^\w{3} (?<month>\w{3}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/,
];

/**
 * Milliseconds since 1970 of an HTTP date, or undefined for anything else. All forms are in UTC, whatever the machine's time
 * zone. `now` (milliseconds) decides about years of two digits: one more than 50 years ahead is in the past century.
 */
export function parseHttpDate(text: string, now: number = Date.now()): number | undefined {
  for (const form of forms) {
    const fields = form.exec(text.trim())?.groups;
    if (fields === undefined) continue;
    const month = months.indexOf(fields.month ?? "");
    const [hour = 0, minute = 0, second = 0] = (fields.time ?? "").split(":").map(Number);
    const year = fullYear(fields.year ?? "", now);
    const day = Number(fields.day);
    const days = new Date(Date.UTC(year, month, day));
    const isDay = days.getUTCMonth() === month && days.getUTCDate() === day;
    // A leap second is second 60.
    if (month < 0 || !isDay || hour > 23 || minute > 59 || second > 60) return undefined;
    return Date.UTC(year, month, day, hour, minute, second);
  }
  return undefined;
}

function fullYear(text: string, now: number): number {
  if (text.length === 4) return Number(text);
  const present = new Date(now).getUTCFullYear();
  const year = present - (present % 100) + Number(text);
  return year > present + 50 ? year - 100 : year;
}
