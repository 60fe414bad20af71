/** Days of the week between names and bits; bit 0 is Monday. */
import { Invalid } from "../errors.ts";

const names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

export const allDays = 0b1111111;

export function daysToNames(bits: number): string[] {
  return names.filter((_, day) => (bits & (1 << day)) !== 0);
}

/** Throws naming the field and what is no day. */
export function daysFromNames(days: readonly string[], message: string, field: string): number {
  let bits = 0;
  for (const day of days) {
    const at = names.indexOf(day.toLowerCase());
    if (at < 0) {
      throw new Invalid(message, {
        validations: [{ field, detail: `invalid weekday ${JSON.stringify(day)}` }],
      });
    }
    bits |= 1 << at;
  }
  return bits;
}
