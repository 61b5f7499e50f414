"""How good, how diverse, how recognisable, and does it copy: pure maths over feature arrays, and what makes those."""
