"""What Glue is told to run; everything else comes in the zip of ``--extra-py-files``."""

import sys

from jobs.cycle_features.run import main

if __name__ == "__main__":
    main(sys.argv[1:])
