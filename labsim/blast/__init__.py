"""The blast radius: measured from served attempts; pandas from here on."""
