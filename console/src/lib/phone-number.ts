// Shows numbers so that they can be compared with the one on the phone. Whether a
// number can exist is the host's to say.

/** `+55 11 99999 9999`-like grouping without a table of all countries. */
export function showPhoneNumber(digits: string): string {
  const brazil = /^(55)(\d{2})(\d{4,5})(\d{4})$/.exec(digits);
  if (brazil) return `+${brazil[1]} ${brazil[2]} ${brazil[3]}-${brazil[4]}`;
  const northAmerica = /^1(\d{3})(\d{3})(\d{4})$/.exec(digits);
  if (northAmerica) return `+1 ${northAmerica[1]} ${northAmerica[2]}-${northAmerica[3]}`;
  return `+${digits}`;
}

/** Spares the host what is plainly no number at all. */
export function looksLikeNumber(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  return /^[+\d\s().-]+$/.test(text.trim()) && digits.length >= 7 && digits.length <= 15;
}
