# How long to wait after failures: twice as long after each one, up to ten minutes, and never the same for two machines.

module RazorMicrokernel
  class BackOff
    LONGEST = 600.0

    attr_reader :failures

    # `first`: seconds after the first failure. `random`: returns a number from 0 up to 1.
    def initialize(first, longest = LONGEST, random = nil)
      @first = first.to_f
      @longest = longest.to_f
      @random = random || lambda { rand }
      @failures = 0
    end

    def fail
      @failures += 1
    end

    def succeed
      @failures = 0
    end

    # Seconds: three quarters to all of the step's length.
    def delay
      # 2 ** 20 steps are beyond every limit; more would be a number without end.
      step = [@first * 2**[@failures - 1, 20].min, @longest].min
      step * (0.75 + @random.call / 4)
    end
  end
end
