const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A time of the host's in the person's own form. */
export const showTime = (at: string) => dateAndTime.format(new Date(at));
