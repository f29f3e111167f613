"""Words as they were said: tokens, what each can be, the lists, numbers and letters spoken out."""
